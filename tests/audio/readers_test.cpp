// Tables of text, the readers of published layouts, and which labels count.
#include <doctest/doctest.h>

#include "audio/csv.h"
#include "audio/labels.h"
#include "audio/readers/readers.h"
#include "audio/split.h"
#include "tests/audio/audio_folder.h"

namespace melgrad {
namespace {

using test::AudioFolder;
using test::error_of;
using Names = std::vector<std::string>;
using Labels = std::vector<int32_t>;

Names fields(std::string_view text, char separator = ',') {
  Names all;
  for (const CsvRow& row : parse_csv(text, "t.csv", separator)) {
    for (const std::string& field : row.fields) all.push_back(field);
    all.push_back("/");
  }
  return all;
}

TEST_CASE("csv: quotes, separators, line breaks, what ends a line") {
  CHECK(fields("a,b\nc,d") == Names{"a", "b", "/", "c", "d", "/"});
  CHECK(fields("a,b\r\nc,d\r\n") == Names{"a", "b", "/", "c", "d", "/"});
  CHECK(fields("\xEF\xBB\xBF"
               "a,\n\n,b\n") == Names{"a", "", "/", "", "b", "/"});
  CHECK(fields("\"a,\"\"b\"\"\nc\",d\n") == Names{"a,\"b\"\nc", "d", "/"});
  CHECK(fields("\"x\"\t\"\"\ty z\t\"\"\"\"", '\t') == Names{"x", "", "y z", "\"", "/"});
  CHECK(fields("a\rb,c\n") == Names{"a\rb", "c", "/"});  // a lone CR ends nothing
  CHECK(fields("a,") == Names{"a", "", "/"});
  CHECK(fields("").empty());
  const auto rows = parse_csv("h\n\"a\nb\"\nlast\n", "t.csv");
  CHECK(rows[1].line == 2);
  CHECK(rows[2].line == 4);
  CHECK(error_of([] { parse_csv("a\n\"b,c\nd", "t.csv"); }).find("t.csv: line 2: a quote") == 0);
  CHECK(error_of([] { parse_csv("\"a\"b,c", "t.csv"); }).find("t.csv: line 1: after a closing quote") == 0);
}

TEST_CASE("csv: tables by column") {
  const AudioFolder folder;
  const CsvTable table(folder.write("t.csv", "id,score\n7,0.25\n8,x\n"));
  CHECK(table.column("score") == 1);
  CHECK(table.number(table.rows()[0], 1) == 0.25);
  CHECK(error_of([&] { table.number(table.rows()[1], 1); }).find("line 3: score: 'x' is not a number") !=
        std::string::npos);
  CHECK(error_of([&] { table.column("key"); }).find("no column 'key'; the first row names id, score") !=
        std::string::npos);
  CHECK(error_of([&] { CsvTable(folder.write("u.csv", "a,b\n1\n")); }).find("line 2: 1 fields") != std::string::npos);
  CHECK(error_of([&] { CsvTable(folder.write("v.csv", "")); }).find("is empty") != std::string::npos);
  CHECK(error_of([&] { CsvTable(folder.path() / "none.csv"); }).find("no such file") != std::string::npos);
}

DataOptions options_for(Reader reader, SplitKind split = SplitKind::official) {
  DataOptions options;
  options.reader = reader;
  options.split = split;
  return options;
}

Names clip_names(const ClipList& list) {
  Names names;
  for (const Clip& clip : list.clips) names.push_back(clip.name);
  return names;
}

void write_fma(const AudioFolder& folder) {
  folder.write("fma_metadata/tracks.csv",
               ",album,set,set,track,track\n"
               ",title,split,subset,genre_top,title\n"
               "track_id,,,,,\n"
               "2,\"A \"\"quoted\"\"\nalbum, in lines\",training,small,Rock,Food\n"
               "99134,B,validation,small,Folk,\"Sleep\n\nwalking\"\n"
               "5,C,test,medium,Jazz,x\n"
               "140449,D,test,small,Hip-Hop,y\n"
               "7,E,training,large,,z\n");
}

TEST_CASE("fma: the subset's tracks with genre and split") {
  const AudioFolder folder;
  write_fma(folder);
  DataOptions options = options_for(Reader::fma);
  const ClipList small = read_clips(folder.path(), options);
  CHECK_FALSE(small.multi_label);
  CHECK(small.labels == Names{"Folk", "Hip-Hop", "Rock"});
  CHECK(clip_names(small) == Names{"fma_small/000/000002.mp3", "fma_small/099/099134.mp3", "fma_small/140/140449.mp3"});
  CHECK(small.clips[0].labels == Labels{2});
  CHECK(small.clips[0].path == folder.path() / "fma_small/000/000002.mp3");
  CHECK(small.clips[0].split == Split::train);
  CHECK(small.clips[1].split == Split::valid);
  CHECK(small.clips[2].split == Split::test);
  CHECK(small.protocol == "FMA small");
  options.subset = "large";
  const ClipList large = read_clips(folder.path(), options);
  CHECK(large.clips.size() == 4);
  CHECK(large.clips[2].name == "fma_large/000/000005.mp3");
  CHECK(large.protocol == "FMA large; 1 tracks without a top genre left out");
  options.subset = "tiny";
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("data.subset: 'tiny'") == 0);
  options.subset = "small";
  folder.write("fma_metadata/tracks.csv", ",set,set,track\n,split,subset,genre_top\ntrack_id,,,\n2,later,small,Rock\n");
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("line 4: set.split 'later'") != std::string::npos);
  const AudioFolder empty;
  CHECK(error_of([&] { read_clips(empty.path(), options); }).find("fma_metadata") != std::string::npos);
}

void write_mtat(const AudioFolder& folder) {
  folder.write("annotations_final.csv",
               "\"clip_id\"\t\"no voice\"\t\"flute\"\t\"flutes\"\t\"guitar\"\t\"mp3_path\"\n"
               "\"2\"\t\"0\"\t\"1\"\t\"0\"\t\"1\"\t\"f/one.mp3\"\n"
               "\"6\"\t\"0\"\t\"0\"\t\"1\"\t\"0\"\t\"0/two.mp3\"\n"
               "\"9\"\t\"1\"\t\"0\"\t\"0\"\t\"0\"\t\"c/three.mp3\"\n"
               "\"10\"\t\"0\"\t\"0\"\t\"0\"\t\"0\"\t\"b/four.mp3\"\n"
               "\"11\"\t\"0\"\t\"1\"\t\"1\"\t\"0\"\t\"d/five.mp3\"\n");
}

TEST_CASE("mtat: tags, splits by folder, clips without a tag") {
  const AudioFolder folder;
  write_mtat(folder);
  DataOptions options = options_for(Reader::mtat);
  const ClipList list = read_clips(folder.path(), options);
  CHECK(list.multi_label);
  CHECK(list.labels == Names{"no voice", "flute", "flutes", "guitar"});
  CHECK(clip_names(list) == Names{"f/one.mp3", "0/two.mp3", "c/three.mp3", "d/five.mp3"});
  CHECK(list.clips[0].labels == Labels{1, 3});
  CHECK(list.clips[0].split == Split::test);
  CHECK(list.clips[1].split == Split::train);
  CHECK(list.clips[2].split == Split::valid);
  CHECK(list.clips[3].split == Split::test);
  CHECK(list.protocol == "1 clips with none of the 4 labels left out");
  options.untagged = Untagged::keep;
  CHECK(read_clips(folder.path(), options).clips.size() == 5);
  CHECK(read_clips(folder.path(), options).clips[3].split == Split::train);
  CHECK(read_clips(folder.path(), options).protocol == "1 clips with none of the 4 labels kept");
  options.folders = "c-d,0";
  CHECK(clip_names(read_clips(folder.path(), options)) == Names{"0/two.mp3", "c/three.mp3", "d/five.mp3"});
  options.folders = "g";
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("data.folders: 'g'") == 0);
}

TEST_CASE("mtat: the vocabularies, merged synonyms, lists") {
  CHECK(mtat_tags().size() == 188);
  CHECK(mtat_top_50().size() == 50);
  CHECK(mtat_top_50().back() == "guitar");
  const AudioFolder folder;
  write_mtat(folder);
  DataOptions options = options_for(Reader::mtat);
  options.labels = "top-50";
  const ClipList top = read_clips(folder.path(), options);
  CHECK(top.labels == mtat_top_50());
  CHECK(top.clips[0].labels == Labels{24, 49});  // flute, guitar; "flutes" is none of the 50
  CHECK(top.labels[24] == "flute");
  CHECK(clip_names(top) == Names{"f/one.mp3", "c/three.mp3", "d/five.mp3"});

  options.synonyms = folder.write("synonyms.txt", "flute: flutes\n").string();
  const ClipList merged = read_clips(folder.path(), options);
  CHECK(merged.labels == Names{"guitar", "no voice", "flute"});  // rarest first; equal ones, the later first
  CHECK(merged.clips[0].labels == Labels{0, 2});
  CHECK(merged.clips[1].labels == Labels{2});
  CHECK(merged.clips[3].labels == Labels{2});  // flute and flutes
  CHECK(merged.protocol.starts_with("1 tags merged into others by synonyms.txt"));
  options.synonyms = folder.write("synonyms.txt", "flute: fife\n").string();
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("'flute' or 'fife' is no tag") != std::string::npos);
  options.synonyms = folder.write("synonyms.txt", "flute: flutes\nguitar: flute\n").string();
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("is a synonym itself") != std::string::npos);

  options = options_for(Reader::mtat, SplitKind::lists);
  folder.write("train.txt", "f/one.mp3\n");
  folder.write("valid.txt", "0/two.mp3\n");
  folder.write("test.txt", "d/five.mp3\n");
  const ClipList listed = read_clips(folder.path(), options);
  CHECK(clip_names(listed) == Names{"f/one.mp3", "0/two.mp3", "d/five.mp3"});
  CHECK(listed.clips[0].split == Split::train);
  CHECK(listed.protocol.starts_with("2 clips in none of the lists left out"));
}

TEST_CASE("msd-key: 24 keys in numeric order, files by track, confidence") {
  const AudioFolder folder;
  folder.write("keys.csv",
               "track_id,key,key_confidence,mode,mode_confidence\n"
               "TRA,10,0.9,0,0.8\nTRB,2,0.75,1,0.75\nTRC,0,0.7,0,0.9\nTRD,0,0.9,1,0.74\nTRE,1,1,0,1\n");
  folder.write("10-0/TRA.png", "x");
  folder.write("10-0/TRA.wav", "x");
  folder.write("2-1/TRB.png", "x");
  DataOptions options = options_for(Reader::msd_key, SplitKind::random_tracks);
  const ClipList list = read_clips(folder.path(), options);
  CHECK(list.labels.size() == 24);
  CHECK(list.labels[0] == "C minor");
  CHECK(list.labels[1] == "C major");
  CHECK(list.labels[4] == "D minor");
  CHECK(list.labels[20] == "A# minor");
  CHECK(clip_names(list) == Names{"10-0/TRA.wav", "2-1/TRB.png", "1-0/TRE.mp3"});  // the last is missing
  CHECK(list.clips[0].labels == Labels{20});
  CHECK(list.clips[1].labels == Labels{5});
  CHECK(list.protocol.find("0.75 in the mode; 2 less sure left out") != std::string::npos);
  options.key_confidence = options.mode_confidence = 0;
  CHECK(read_clips(folder.path(), options).clips.size() == 5);
  options.split = SplitKind::official;
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("without a split") != std::string::npos);
  options.split = SplitKind::random_tracks;
  folder.write("more.csv", "x");
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("two tables") != std::string::npos);
}

TEST_CASE("manifest: a user's own table") {
  const AudioFolder folder;
  const auto csv =
      folder.write("lists/mine.csv", "path,labels,split\na.wav,slow; guitar,train\n/b.wav,,valid\nc.wav,guitar,test\n");
  DataOptions options = options_for(Reader::manifest);
  options.untagged = Untagged::keep;
  const ClipList list = read_clips(csv, options);
  CHECK(list.multi_label);
  CHECK(list.labels == Names{"guitar", "slow"});
  CHECK(list.clips[0].labels == Labels{0, 1});
  CHECK(list.clips[0].path == folder.path() / "lists/a.wav");
  CHECK(list.clips[1].path == "/b.wav");
  CHECK(list.clips[1].labels.empty());
  CHECK(list.clips[1].split == Split::valid);

  const auto single = folder.write("single.csv", "labels,path\nx,1.wav\ny,2.wav\nz,3.wav\n");
  options.split = SplitKind::random_tracks;
  CHECK_FALSE(read_clips(single, options).multi_label);
  options.labels = folder.write("labels.txt", "z\nx\nnone\n").string();
  const ClipList chosen = read_clips(single, options);
  CHECK(chosen.labels == Names{"z", "x", "none"});
  CHECK(clip_names(chosen) == Names{"1.wav", "3.wav"});
  CHECK(chosen.clips[0].labels == Labels{1});
  CHECK(chosen.protocol.starts_with("1 clips of other labels than the 3 of"));
  CHECK(label_counts(chosen) == std::vector<int64_t>{1, 1, 0});
  CHECK(error_of([&] {
          read_clips(folder.write("bad.csv", "path,labels,split\na.wav,x,later\n"), options);
        }).find("line 2: split: unknown value 'later'") != std::string::npos);
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("is a folder") != std::string::npos);
}

TEST_CASE("clips with several labels are split at random as one class") {
  std::vector<Clip> clips;
  std::vector<int32_t> clip;
  for (int32_t i = 0; i < 10; ++i) {
    clips.push_back({"", "", i % 2 == 0 ? Labels{0, 1} : Labels{1}, Split::unassigned});
    clip.push_back(i);
  }
  DataOptions options;
  options.test = 0.3;
  options.valid = 0.25;
  const SplitIndices split = split_samples(options, 1, clips, clip);
  CHECK(split.test.size() == 3);
  CHECK(split.valid.size() == 2);
  CHECK(split.train.size() == 5);
}

}  // namespace
}  // namespace melgrad
