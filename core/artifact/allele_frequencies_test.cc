#include "core/artifact/allele_frequencies.h"

#include <gtest/gtest.h>

namespace genoserve {
namespace {

TEST(AlleleFrequenciesTest, AreKeptToTheNearestStep) {
  const std::vector<double> frequencies = {0, 1, 0.5, 0.123456, 1.0 / 65535};
  const std::string bytes = EncodeAlleleFrequencies(frequencies);
  // Little-endian: 0, 65535, ...
  EXPECT_EQ(bytes.substr(0, 4), std::string("\0\0\xff\xff", 4));
  EXPECT_EQ(bytes.substr(8, 2), std::string("\x01\0", 2));
  const std::vector<double> read = DecodeAlleleFrequencies(bytes);
  ASSERT_EQ(read.size(), frequencies.size());
  for (size_t i = 0; i < read.size(); ++i) EXPECT_NEAR(read[i], frequencies[i], 0.5 / 65535) << i;
}

}  // namespace
}  // namespace genoserve
