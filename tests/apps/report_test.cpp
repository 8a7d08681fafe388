// A run's page: all of it in one file, and nothing that a name in the data could break out of.
#include <doctest/doctest.h>

#include "apps/html_page.h"
#include "tests/apps/program.h"

namespace melgrad {
namespace {

TEST_CASE("base64 of RFC 4648's examples") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("\xFF\xFE\xFD") == "//79");
}

TEST_CASE("text is escaped wherever it stands") {
  HtmlPage page("<title> & \"more\"");
  page.heading("<h>").paragraph("<p>").table({{"<a>", "b"}, {"<c>", "1.5"}}).preformatted("<x>").folded("<s>", "<t>");
  page.picture("png", "<caption>\"");
  const std::string html = page.html();
  for (const char* raw : {"<title> &", "<h>", "<p><p>", "<a>", "<c>", "<x>", "<s>", "<t>", "<caption>"})
    CHECK_MESSAGE(html.find(raw) == std::string::npos, raw);
  CHECK(html.find("&lt;title&gt; &amp; &quot;more&quot;") != std::string::npos);
  CHECK(html.find("<td class=\"number\">1.5</td>") != std::string::npos);
  CHECK(html.find("alt=\"&lt;caption&gt;&quot;\"") != std::string::npos);
}

TEST_CASE("melgrad report gathers a run on one page") {
  const test::TemporaryFolder folder;
  test::make_tone_set(folder / "data", 6);
  REQUIRE(test::run_program(test::train_arguments(folder / "data", folder / "run", 3)).status == 0);
  const test::Outcome outcome = test::run_program({"report", (folder / "run").string()});
  REQUIRE(outcome.status == 0);
  CHECK(outcome.out.ends_with("report.html\n"));
  const std::string html = test::file_bytes(folder / "run" / "report.html");
  for (const char* part : {"Evaluation: test", "Evaluation: valid", "accuracy", "conv2d_1",
                           "data:image/png;base64,iVBOR", "<figcaption>training", "<figcaption>test",
                           "<figcaption>valid", "accuracy interval", "learning_rate = ", "train_loss"})
    CHECK_MESSAGE(html.find(part) != std::string::npos, part);
  for (const char* outside : {"http://", "https://", "<script", "@import", "url("})
    CHECK_MESSAGE(html.find(outside) == std::string::npos, outside);
}

}  // namespace
}  // namespace melgrad
