// Small real artifacts for tests: random weights, published as a trainer would.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/genotype/variant_table.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// `count` variants, the first half on contig 1 and the rest on contig 2, 100 base pairs apart from position 100 on.
VariantTable TestVariants(int64_t count);

/// Publishes the next version of an acgan (haplotypes, labels L0, L1, L2) to the store in a folder, which is made where
/// it is not there. The same seed gives the same weights. Returns the version; fails the test and returns 0 otherwise.
int64_t PublishTestAcgan(const std::string& store, const std::string& model, uint64_t seed, int64_t variants = 100,
                         const std::vector<v1::Figure>& figures = {});

/// The same for a wgan-gp (diploid genotypes; weight, 10 to 30 g, and coat, one of a, b and c).
int64_t PublishTestWganGp(const std::string& store, const std::string& model, uint64_t seed, int64_t variants = 100);

/// A new empty folder under testing::TempDir().
std::string NewTestFolder();

}  // namespace genoserve
