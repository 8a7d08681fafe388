# Writes OUTPUT: a C++ file that holds the recipes in FILES (a list) as string literals, so that the program needs no
# files of its own. Run as a script: cmake -DOUTPUT=… -DFILES=… -P EmbedRecipes.cmake
set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND entries "      {\"${name}\", R\"recipe(${text})recipe\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"models/recipes.h\"

namespace melgrad {

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{
${entries}  };
  return all;
}

}  // namespace melgrad
")
