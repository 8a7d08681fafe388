// TensorBoard's event files, byte for byte as its own writer writes them: tests/golden/make_event_file.py.
#include "apps/event_file.h"

#include <doctest/doctest.h>

#include "kernels/error.h"
#include "tests/apps/program.h"

namespace melgrad {
namespace {

TEST_CASE("CRC-32C of RFC 3720's examples") {
  CHECK(crc32c("123456789") == 0xE3069283u);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAu);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43u);
}

TEST_CASE("the bytes of TensorBoard's own writer") {
  const test::TemporaryFolder folder;
  EventFile events(folder.path(), 1.5e9);
  events.add(1.5e9 + 1, 1, {{"loss/train", 0.75}, {"accuracy/valid", 0.5}});
  events.add(1.5e9 + 300, 300, {{"loss/train", -2.5e-3}, {"accuracy/valid", 0.5}});
  CHECK(events.path().filename() == "events.out.tfevents.1500000000.melgrad");
  CHECK(test::file_bytes(events.path()) ==
        test::file_bytes(std::filesystem::path(MELGRAD_TEST_DATA) / "events.tfevents"));
}

TEST_CASE("a second process of the same second has a file of its own; a folder that is not there is an error") {
  const test::TemporaryFolder folder;
  const EventFile first(folder.path(), 10), second(folder.path(), 10);
  CHECK(first.path() != second.path());
  CHECK_THROWS_WITH_AS(EventFile(folder / "none", 10), doctest::Contains("none"), Error);
}

TEST_CASE("a training leaves its curves for TensorBoard") {
  const test::TemporaryFolder folder;
  test::make_tone_set(folder / "data", 6);
  REQUIRE(test::run_program(test::train_arguments(folder / "data", folder / "run", 3)).status == 0);
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "run"))
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) bytes += test::file_bytes(entry.path());
  std::size_t losses = 0;
  for (std::size_t at = bytes.find("loss/valid"); at != std::string::npos; at = bytes.find("loss/valid", at + 1))
    ++losses;
  CHECK(losses == 3);
}

}  // namespace
}  // namespace melgrad
