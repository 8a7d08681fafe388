#include <algorithm>

#include "audio/readers/readers.h"

namespace melgrad {
namespace {

constexpr std::string_view all_188 =
    "no voice,singer,duet,plucking,hard rock,world,bongos,harpsichord,female singing,clasical,sitar,chorus,"
    "female opera,male vocal,vocals,clarinet,heavy,silence,beats,men,woodwind,funky,no strings,chimes,foreign,"
    "no piano,horns,classical,female,no voices,soft rock,eerie,spacey,jazz,guitar,quiet,no beat,banjo,"
    "electric,solo,violins,folk,female voice,wind,happy,ambient,new age,synth,funk,no singing,middle eastern,"
    "trumpet,percussion,drum,airy,voice,repetitive,birds,space,strings,bass,harpsicord,medieval,male voice,"
    "girl,keyboard,acoustic,loud,classic,string,drums,electronic,not classical,chanting,no violin,not rock,"
    "no guitar,organ,no vocal,talking,choral,weird,opera,soprano,fast,acoustic guitar,electric guitar,"
    "male singer,man singing,classical guitar,country,violin,electro,reggae,tribal,dark,male opera,no vocals,"
    "irish,electronica,horn,operatic,arabic,lol,low,instrumental,trance,chant,strange,drone,synthesizer,"
    "heavy metal,modern,disco,bells,man,deep,fast beat,industrial,hard,harp,no flute,jungle,pop,lute,"
    "female vocal,oboe,mellow,orchestral,viola,light,echo,piano,celtic,male vocals,orchestra,eastern,old,"
    "flutes,punk,spanish,sad,sax,slow,male,blues,vocal,indian,no singer,scary,india,woman,woman singing,rock,"
    "dance,piano solo,guitars,no drums,jazzy,singing,cello,calm,female vocals,voices,different,techno,"
    "clapping,house,monks,flute,not opera,not english,oriental,beat,upbeat,soft,noise,choir,female singer,rap,"
    "metal,hip hop,quick,water,baroque,women,fiddle,english";

constexpr std::string_view most_frequent_50 =
    "choral,female voice,metal,country,weird,no voice,cello,harp,beats,female vocal,male voice,dance,new age,"
    "voice,choir,classic,man,solo,sitar,soft,pop,no vocal,male vocal,woman,flute,quiet,loud,harpsichord,"
    "no vocals,vocals,singing,male,opera,indian,female,synth,vocal,violin,beat,ambient,piano,fast,rock,"
    "electronic,drums,strings,techno,slow,classical,guitar";

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    parts.emplace_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

}  // namespace

const std::vector<std::string>& mtat_tags() {
  static const std::vector<std::string> tags = split_at_commas(all_188);
  return tags;
}

const std::vector<std::string>& mtat_top_50() {
  static const std::vector<std::string> tags = split_at_commas(most_frequent_50);
  return tags;
}

}  // namespace melgrad
