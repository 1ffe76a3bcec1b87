#include "client/cli/sample_part.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::CohortHeader Header() {
  v1::CohortHeader header;
  header.set_cohort_size(3);
  header.set_first_sample(1);
  header.set_sample_count(2);
  header.set_label_column("pop");
  header.add_labels("AFR");
  header.add_labels("EUR");
  v1::PhenotypeSchema* weight = header.add_phenotypes();
  weight->set_name("weight");
  weight->mutable_continuous();
  v1::PhenotypeSchema* colour = header.add_phenotypes();
  colour->set_name("colour");
  colour->mutable_categorical()->add_levels("black");
  colour->mutable_categorical()->add_levels("white");
  return header;
}

CohortBatch Batch(int64_t sample, uint32_t label, double weight, double colour) {
  CohortBatch batch;
  batch.first_sample = sample;
  batch.genotypes = GenotypeMatrix(Packing::kHaplotype1Bit, 2, 5);
  batch.labels = {label};
  batch.phenotypes = {{weight}, {colour}};
  return batch;
}

class SamplePartTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    fd_ = ::open(Path("part").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  }
  void TearDown() override {
    ::close(fd_);
    FolderTest::TearDown();
  }

  int fd_ = -1;
};

TEST_F(SamplePartTest, TablesComeOfSamplesWrittenInAnyOrder) {
  const auto part = SamplePart::Open(fd_, Header(), nullptr, false);
  ASSERT_TRUE(part.ok()) << part.status();
  ASSERT_TRUE(part->Write(Batch(2, 0, 0.1, 0)).ok());
  ASSERT_TRUE(part->Write(Batch(1, 0, 3, 1)).ok());
  ASSERT_TRUE(part->Write(Batch(1, 1, 24.5, 1)).ok());  // once more, by a fetch that went on
  std::vector<int64_t> counts;
  ASSERT_EQ(CountLabels(*part, Header(), &counts), absl::OkStatus());
  ASSERT_EQ(WriteTables(*part, Header(), nullptr, counts, {Path("panel"), Path("pheno"), Path("all"), Path("covar")}),
            absl::OkStatus());
  EXPECT_EQ(Read(Path("panel")), "sample\tpop\nSYN000002\tEUR\nSYN000003\tAFR\n");
  EXPECT_EQ(Read(Path("pheno")), "#IID\tweight\tcolour\nSYN000002\t24.5\twhite\nSYN000003\t0.1\tblack\n");
  EXPECT_EQ(Read(Path("all")),
            "sample\tpop\tweight\tcolour\nSYN000002\tEUR\t24.5\twhite\nSYN000003\tAFR\t0.1\tblack\n");
  EXPECT_EQ(Read(Path("covar")), "#IID\tpop_EUR\nSYN000002\t1\nSYN000003\t0\n");
  EXPECT_THAT(counts, ElementsAre(1, 1));
}

TEST_F(SamplePartTest, AFileOfAnotherSizeOrWithForeignValuesIsRefused) {
  ASSERT_TRUE(SamplePart::Open(fd_, Header(), nullptr, false).ok());
  ASSERT_TRUE(SamplePart::Open(fd_, Header(), nullptr, true).ok());
  std::vector<int64_t> counts;
  ASSERT_EQ(::pwrite(fd_, "\xff\xff\xff\xff", 4, 0), 4);
  const absl::Status foreign = CountLabels(*SamplePart::Open(fd_, Header(), nullptr, true), Header(), &counts);
  EXPECT_EQ(foreign.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(foreign.message()), HasSubstr("sample 1 makes no sense"));
  ASSERT_EQ(::ftruncate(fd_, 20), 0);
  EXPECT_EQ(SamplePart::Open(fd_, Header(), nullptr, true).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SamplePartTest, NothingIsKeptWhereThereIsNothing) {
  v1::CohortHeader header = Header();
  header.clear_labels();
  header.clear_phenotypes();
  const auto part = SamplePart::Open(fd_, header, nullptr, false);
  EXPECT_TRUE(part->empty());
  ASSERT_EQ(WriteTables(*part, header, nullptr, {}, {Path("panel"), Path("pheno"), Path("all"), Path("covar")}),
            absl::OkStatus());
  EXPECT_THAT(Names(), ElementsAre("part"));
  EXPECT_TRUE(SamplePart::Open(-1, Header(), nullptr, false)->empty());
}

}  // namespace
}  // namespace genoserve
