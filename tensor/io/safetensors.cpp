#include "tensor/io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

using nlohmann::json;

constexpr uint64_t header_limit = 100'000'000;  // the format's own

struct Element {
  std::string_view name;
  DType dtype;
};
constexpr Element elements[] = {{"F32", DType::f32}, {"F64", DType::f64}, {"I32", DType::i32}, {"U8", DType::u8}};

struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  uint64_t begin, end;
};

Entry parse_entry(const std::string& key, const json& value, uint64_t data_size, const std::string& file) {
  const std::string where = fmt::format("{}: tensor '{}'", file, key);
  require(value.is_object() && value.contains("dtype") && value.contains("shape") && value.contains("data_offsets") &&
              value["dtype"].is_string() && value["shape"].is_array() && value["data_offsets"].is_array() &&
              value["data_offsets"].size() == 2,
          "{} lacks dtype, shape or data_offsets", where);
  const auto& dtype_name = value["dtype"].get_ref<const std::string&>();
  const auto* element =
      std::find_if(std::begin(elements), std::end(elements), [&](const Element& e) { return e.name == dtype_name; });
  require(element != std::end(elements), "{} is {}; expected F32, F64, I32 or U8", where, dtype_name);

  int64_t bytes = size_of(element->dtype);  // of the sizes that are not 0: no product of some of them overflows
  std::vector<int64_t> sizes;
  for (const json& size : value["shape"]) {
    require(size.is_number_unsigned() && size.get<uint64_t>() <= (uint64_t{1} << 62) &&
                !__builtin_mul_overflow(bytes, std::max<int64_t>(size.get<int64_t>(), 1), &bytes),
            "{}: impossible shape", where);
    sizes.push_back(size.get<int64_t>());
  }
  if (std::count(sizes.begin(), sizes.end(), 0) != 0) bytes = 0;
  require(sizes.size() <= Shape::max_rank, "{} has {} axes, expected at most {}", where, sizes.size(), Shape::max_rank);
  const json& offsets = value["data_offsets"];
  require(offsets[0].is_number_unsigned() && offsets[1].is_number_unsigned(), "{}: bad data_offsets", where);
  const uint64_t begin = offsets[0], end = offsets[1];
  require(begin <= end && end <= data_size && end - begin == static_cast<uint64_t>(bytes),
          "{}: data_offsets {} to {} do not fit {} bytes of shape {} in {} bytes of data", where, begin, end, bytes,
          Shape(sizes).to_string(), data_size);
  return {key, element->dtype, Shape(sizes), begin, end};
}

json parse_header(std::string_view bytes, const std::string& name) {
  require(bytes.size() >= 8, "{}: not a .safetensors file: {} bytes", name, bytes.size());
  uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  require(length <= header_limit && length <= bytes.size() - 8,
          "{}: not a .safetensors file: the header's length {} is past the end", name, length);
  // A header is four levels deep. Deeper ones could exhaust the stack; a name given twice hides a tensor.
  std::set<std::string> names;
  const auto check = [&](int depth, json::parse_event_t event, const json& parsed) {
    require(depth <= 4, "{}: not a .safetensors file: the header is nested too deeply", name);
    if (event == json::parse_event_t::key && depth == 1) {
      const auto& key = parsed.get_ref<const std::string&>();
      require(names.insert(key).second, "{}: tensor '{}' is there twice", name, key);
    }
    return true;
  };
  json header = json::parse(bytes.substr(8, length), check, /*allow_exceptions=*/false);
  require(header.is_object(), "{}: not a .safetensors file: the header is no JSON object", name);
  return header;
}

}  // namespace

TensorFile parse_safetensors(std::string_view bytes, const std::string& name) {
  const json header = parse_header(bytes, name);
  uint64_t header_length;
  std::memcpy(&header_length, bytes.data(), 8);
  const std::string_view data = bytes.substr(8 + header_length);

  TensorFile file;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key != "__metadata__") {
      entries.push_back(parse_entry(key, value, data.size(), name));
      continue;
    }
    require(value.is_object(), "{}: __metadata__ is no object", name);
    for (const auto& [label, text] : value.items()) {
      require(text.is_string(), "{}: __metadata__ '{}' is no string", name, label);
      file.metadata[label] = text.get<std::string>();
    }
  }
  // The tensors fill the data, as the format demands. Checked before anything is allocated: the sum of all tensors is
  // then no more than the file. An empty tensor stands before the one that begins where it does.
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  uint64_t filled = 0;
  for (const Entry& entry : entries) {
    require(entry.begin >= filled, "{}: tensor '{}' overlaps another", name, entry.name);
    require(entry.begin == filled, "{}: no tensor holds the {} bytes before '{}'", name, entry.begin - filled,
            entry.name);
    filled = entry.end;
  }
  require(filled == data.size(), "{}: no tensor holds the last {} bytes", name, data.size() - filled);
  for (const Entry& entry : entries) {
    Tensor tensor = Tensor::empty(entry.shape, entry.dtype);
    if (entry.end > entry.begin) {
      std::memcpy(tensor.mutable_view().data, data.data() + entry.begin, entry.end - entry.begin);
    }
    file.tensors[entry.name] = tensor;
  }
  return file;
}

std::string format_safetensors(const TensorFile& file) {
  json header = json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  std::string data;
  for (const auto& [name, tensor] : file.tensors) {
    require(name != "__metadata__", "safetensors: a tensor cannot be called __metadata__");
    const Tensor host = tensor.device() == Device::cpu ? tensor : tensor.to(Device::cpu);
    const auto* element = std::find_if(std::begin(elements), std::end(elements),
                                       [&](const Element& e) { return e.dtype == host.dtype(); });
    const uint64_t begin = data.size();
    data.append(static_cast<const char*>(host.view().data), static_cast<std::size_t>(host.view().bytes()));
    header[name] = {{"dtype", element->name},
                    {"shape", std::vector<int64_t>(host.shape().begin(), host.shape().end())},
                    {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the data starts aligned
  const uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), 8);
  return bytes + text + data;
}

TensorFile load_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_file(path), path.string());
}

void save_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  write_file_atomically(path, format_safetensors(file));
}

}  // namespace melgrad
