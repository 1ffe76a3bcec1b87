// Damaged NumPy and VCF Zarr files; what they hold when they are whole is tested by the round trips of conversions.
#include <blosc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/ascii.h"
#include "core/io/conversion.h"
#include "core/io/test_files.h"
#include "core/io/test_panels.h"
#include "core/io/zarr_codec.h"
#include "nlohmann/json.hpp"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

class NpyZarrReaderTest : public FolderTest {
 protected:
  void Make(const std::string& name) const {
    Write("x.vcf", RandomVcf({.samples = 9, .variants = 12}));
    Conversion conversion;
    conversion.from = SourceOfPath(Path("x.vcf"));
    conversion.path = Path(name);
    conversion.format = FormatOfPath(name).value();
    ASSERT_TRUE(Convert(conversion, [](int64_t, int64_t) { return absl::OkStatus(); }).ok());
  }
  /// The message that reading `name` ends with once `file` has these bytes.
  std::string Error(const std::string& name, const std::string& file, const std::string& bytes) const {
    const std::string before = Read(Path(file));
    Write(file, bytes);
    const std::string text = ReadAsText(Path(name)).back();
    Write(file, before);
    return text;
  }
  /// The message that reading `name` ends with while `file` is not there.
  std::string ErrorWithout(const std::string& name, const std::string& file) const {
    const std::string before = Read(Path(file));
    std::filesystem::remove(Path(file));
    const std::string text = ReadAsText(Path(name)).back();
    Write(file, before);
    return text;
  }
  // Bytes of every file of a folder in x.zarr, changed and cut off: an error or other calls, and never the end of the
  // process. At last it is as it was, and as x.vcf.
  void Damage(const std::string& folder) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Path(folder))) {
      if (!entry.is_regular_file()) continue;
      const std::string file = std::filesystem::relative(entry.path(), folder_).string();
      const std::string whole = Read(entry.path().string());
      for (size_t i = 0; i < whole.size(); i += 1 + whole.size() / 16) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ 3);
        Error("x.zarr", file, changed);
        Error("x.zarr", file, whole.substr(0, i));
      }
    }
    ExpectSameLines(ReadAsText(Path("x.zarr")), ReadAsText(Path("x.vcf")));
  }
  std::string Changed(const std::string& file, const std::string& from, const std::string& to) const {
    std::string bytes = Read(Path(file));
    EXPECT_THAT(bytes, HasSubstr(from));
    return bytes.replace(bytes.find(from), from.size(), to);
  }
};

TEST_F(NpyZarrReaderTest, BadNumPyFilesAreNamedWithTheirPlace) {
  Make("x.npy");
  const std::string npy = Read(Path("x.npy"));
  EXPECT_THAT(Error("x.npy", "x.npy", "PK"), HasSubstr("x.npy: is not a NumPy file of int8"));
  EXPECT_THAT(Error("x.npy", "x.npy", Changed("x.npy", "|i1", "<f4")), HasSubstr("is not a NumPy file of int8"));
  EXPECT_THAT(Error("x.npy", "x.npy", Changed("x.npy", "(9, 12)", "(8, 12)")),
              HasSubstr("has 8 rows, expected one or two for each of 9 samples"));
  EXPECT_THAT(Error("x.npy", "x.npy", npy.substr(0, npy.size() - 1)),
              HasSubstr("has 107 bytes of genotypes, expected"));
  std::string seven = npy;
  seven.back() = 7;
  EXPECT_THAT(Error("x.npy", "x.npy", seven), HasSubstr("row 8, column 11: the value is 7, expected 0, 1, 2 or -1"));
  EXPECT_THAT(Error("x.npy", "x.variants.tsv", "contig\tposition\tid\tref\talt\n1\t5\tv\tA\tG\n"),
              HasSubstr("has fewer than the 12 variants of"));
  EXPECT_THAT(Error("x.npy", "x.variants.tsv", "x\n"), HasSubstr("expected the header \"contig position id ref alt\""));
  EXPECT_THAT(Error("x.npy", "x.samples.tsv", "sample\tsex\na\t1\n"), HasSubstr("expected one or two for each of 1"));
  for (size_t i = 0; i < 128; ++i) {
    std::string changed = npy;
    changed[i] = static_cast<char>(changed[i] ^ 0x11);
    Error("x.npy", "x.npy", changed);
  }
}

TEST_F(NpyZarrReaderTest, BadZarrFoldersAreNamedWithTheirPlace) {
  Make("x.zarr");
  const std::string calls = "x.zarr/call_genotype/";
  EXPECT_THAT(Error("x.zarr", calls + ".zarray", "{"), HasSubstr("call_genotype/.zarray: is not JSON"));
  EXPECT_THAT(Error("x.zarr", calls + ".zarray", Changed(calls + ".zarray", "\"zlib\"", "\"lzma\"")),
              HasSubstr("its compressor is none of zlib, gzip, blosc and zstd"));
  EXPECT_THAT(
      Error("x.zarr", calls + ".zarray", Changed(calls + ".zarray", "\"zlib\"", "\"blosc\", \"cname\": \"blosclz\"")),
      HasSubstr("blosclz, which is not read"));
  EXPECT_THAT(
      Error("x.zarr", calls + ".zarray", Changed(calls + ".zarray", "\"zarr_format\": 2", "\"zarr_format\": 3")),
      HasSubstr("is not of Zarr format 2"));
  const std::string chunk = calls + "0/0/0";
  EXPECT_THAT(Error("x.zarr", chunk, Read(Path(chunk)).substr(0, 9)), HasSubstr("cannot be unpacked"));
  EXPECT_THAT(ReadAsText(Path("none.zarr")).back(), HasSubstr("none.zarr/call_genotype/.zarray"));
  EXPECT_THAT(ErrorWithout("x.zarr", chunk), HasSubstr("call_genotype: chunk 0/0/0 is missing, and the array has no"));
  EXPECT_THAT(ErrorWithout("x.zarr", "x.zarr/variant_position/0"), HasSubstr("variant_position: chunk 0 is missing"));
  EXPECT_THAT(ErrorWithout("x.zarr", "x.zarr/sample_id/0"), HasSubstr("sample_id: chunk 0 is missing"));
  Damage("x.zarr");
}

TEST_F(NpyZarrReaderTest, EveryCompressorOfOthersIsRead) {
  Make("x.zarr");
  for (const std::string codec :
       {"Blosc(cname='zstd', shuffle=2)", "Blosc(cname='lz4', shuffle=1)", "Zstd()", "GZip()"}) {
    Run("mv x.zarr plain.zarr");
    Write("repack.py",
          "import zarr, numcodecs\n"
          "to = zarr.open_group('x.zarr', mode='w')\n"
          "for name, array in zarr.open_group('plain.zarr').arrays():\n"
          "  zarr.copy(array, to, name, compressor=numcodecs." +
              codec +
              ", fill_value=None)\n"
              "to.attrs.update(zarr.open_group('plain.zarr').attrs)\n");
    EXPECT_EQ(Run(GENOSERVE_READERS " -W ignore repack.py"), "");
    EXPECT_THAT(Read(Path("x.zarr/call_genotype/.zarray")),
                HasSubstr("\"id\": \"" + absl::AsciiStrToLower(codec.substr(0, codec.find('('))) + "\""));
    Damage("x.zarr/call_genotype");
    Damage("x.zarr/variant_allele");
    Run("rm -r x.zarr && mv plain.zarr x.zarr");
  }
  // Without the size of what it holds, as a stream has it.
  const std::string chunk = "x.zarr/call_genotype/0/0/0";
  Write("x.zarr/call_genotype/.zarray", Changed("x.zarr/call_genotype/.zarray", "\"zlib\"", "\"zstd\""));
  Run("python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.decompress(open(\"" + chunk +
      "\", \"rb\").read()))' | zstd -q > packed && mv packed " + chunk);
  ExpectSameLines(ReadAsText(Path("x.zarr")), ReadAsText(Path("x.vcf")));
}

// Of which c-blosc 1.21 does not check all lengths.
TEST_F(NpyZarrReaderTest, BloscLzIsRefused) {
  const std::string text(1 << 16, 'a');
  for (const auto& [compressor, read] : {std::pair{"blosclz", false}, {"lz4", true}, {"zlib", true}, {"zstd", true}}) {
    std::string packed(text.size() + BLOSC_MAX_OVERHEAD, '\0');
    const int size = ::blosc_compress_ctx(5, BLOSC_SHUFFLE, 1, text.size(), text.data(), packed.data(), packed.size(),
                                          compressor, 0, 1);
    ASSERT_GT(size, 0);
    std::string plain;
    EXPECT_EQ(UnpackChunk(ZarrCodec::kBlosc, packed.substr(0, static_cast<size_t>(size)), text.size(), &plain), read);
    EXPECT_EQ(plain == text, read);
    EXPECT_FALSE(UnpackChunk(ZarrCodec::kBlosc, packed.substr(0, static_cast<size_t>(size)), text.size() - 1, &plain));
  }
}

TEST_F(NpyZarrReaderTest, AMissingChunkOfZarrHasTheFillValue) {
  Make("x.zarr");
  const std::string array = "x.zarr/call_genotype/.zarray";
  Write(array, Changed(array, "\"fill_value\": null", "\"fill_value\": -1"));
  std::filesystem::remove(Path("x.zarr/call_genotype/0/0/0"));
  EXPECT_THAT(ReadAsText(Path("x.zarr")), testing::Each(HasSubstr("A G .........")));
}

TEST_F(NpyZarrReaderTest, WhatASmallZarrFolderMakesRoomForIsBounded) {
  Make("x.zarr");
  const auto grow = [this](const std::string& array, const char* key, const std::string& sizes) {
    nlohmann::json json = nlohmann::json::parse(Read(Path("x.zarr/" + array + "/.zarray")));
    json[key] = nlohmann::json::parse(sizes);
    json["fill_value"] = 0;
    return Error("x.zarr", "x.zarr/" + array + "/.zarray", json.dump());
  };
  EXPECT_THAT(grow("variant_position", "chunks", "[1073741824]"), HasSubstr("a chunk has more than 1 GiB"));
  EXPECT_THAT(grow("variant_position", "chunks", "[268435456]"),
              HasSubstr("variant_position: a chunk has 268435456 values, at most 134217728 are read"));
  EXPECT_THAT(grow("variant_position", "shape", "[268435456]"), HasSubstr("at most 134217728 are read"));
  EXPECT_THAT(grow("sample_id", "chunks", "[67108864]"),
              HasSubstr("sample_id: a chunk has 67108864 values, at most 33554432 are read"));
  EXPECT_THAT(grow("sample_id", "shape", "[67108864]"), HasSubstr("at most 33554432 are read"));
  // 20 million variants that no file holds.
  const auto set = [this](const std::string& array, const nlohmann::json& changes) {
    nlohmann::json json = nlohmann::json::parse(Read(Path("x.zarr/" + array + "/.zarray")));
    json.update(changes);
    Write("x.zarr/" + array + "/.zarray", json.dump());
  };
  constexpr size_t kMany = 20'000'000;
  std::filesystem::remove_all(Path("x.zarr/variant_id"));
  set("call_genotype", {{"shape", {kMany, 9, 2}}, {"chunks", {kMany, 1, 2}}, {"fill_value", 0}});
  set("call_genotype_phased", {{"shape", {kMany, 9}}, {"chunks", {kMany, 1}}, {"fill_value", 0}});
  set("variant_allele", {{"shape", {kMany, 2}}});
  for (const std::string array : {"variant_contig", "variant_position"}) {
    std::filesystem::remove(Path("x.zarr/" + array + "/0"));
    set(array, {{"shape", {kMany}}, {"chunks", {kMany}}, {"fill_value", array == "variant_position" ? 1 : 0}});
  }
  EXPECT_THAT(ReadAsText(Path("x.zarr")).back(),
              HasSubstr("a chunk of 20000000 variants of 9 samples has more than 2 GiB"));
}

}  // namespace
}  // namespace genoserve
