// Writes the page of TestQuality() to standard output, for tests/report_page.py.
#include <cstdio>

#include "core/quality/report/report.h"
#include "core/quality/report/test_quality.h"

int main() {
  const auto page = genoserve::RenderReport(genoserve::TestQuality());
  if (!page.ok()) {
    std::fprintf(stderr, "%s\n", page.status().ToString().c_str());
    return 1;
  }
  return std::fwrite(page->data(), 1, page->size(), stdout) == page->size() ? 0 : 1;
}
