// The parts of the page that are files in page/ and the chart library, embedded at build by embed.cmake.
#pragma once

#include <cstddef>

namespace genoserve {

extern const char kPageTemplate[];
extern const size_t kPageTemplateSize;
extern const char kPageStyle[];
extern const size_t kPageStyleSize;
extern const char kPageScript[];
extern const size_t kPageScriptSize;
extern const char kChartLibrary[];
extern const size_t kChartLibrarySize;
extern const char kChartLibraryLicence[];
extern const size_t kChartLibraryLicenceSize;

}  // namespace genoserve
