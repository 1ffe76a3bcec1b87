// A publisher to a bucket that dies at any of its requests, and publishers and readers whose requests fail for a while.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/store/s3_store.h"
#include "core/store/testing/http_fault_proxy.h"
#include "core/store/testing/s3_server.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kServerError[] =
    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot a XML";
constexpr char kSlowDown[] =
    "HTTP/1.1 503 Slow Down\r\nContent-Length: 81\r\nConnection: close\r\n\r\n"
    "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>\n";

class S3StoreFaultTest : public testing::TestWithParam<S3Server::Make> {
 protected:
  S3StoreFaultTest() : server_(S3Server::Shared(GetParam())), proxy_(server_.port()) {
    // A file of three parts.
    limits_.part_size = GetParam() == S3Server::Make::kMoto ? 1024 : 5 << 20;
    limits_.part_connections = 2;
    limits_.first_wait = absl::Milliseconds(2);
    limits_.longest_wait = absl::Milliseconds(4);
    large_.assign(limits_.part_size * 2 + 100, 'x');
    for (size_t i = 0; i < large_.size(); i += 97) large_[i] = static_cast<char>(i);
    server_.MakeBucket("faults");
  }

  // A store of its own for each run of a test's loop.
  void NextRun() {
    static int run = 0;
    path_ = absl::StrCat("s3://faults/run-", ++run);
    direct_ = OpenS3Store(absl::StrCat(path_, "?endpoint=", server_.endpoint()), false, server_.environment(), limits_)
                  .value();
  }

  absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenThroughProxy(bool create) {
    return OpenS3Store(absl::StrCat(path_, "?endpoint=", proxy_.endpoint()), create, server_.environment(), limits_);
  }

  absl::Status Publish(CheckpointStore& store, const std::string& small) {
    GENOSERVE_ASSIGN_OR_RETURN(auto publication, store.Publish("m"));
    GENOSERVE_RETURN_IF_ERROR(publication->Put("a.bin", small));
    GENOSERVE_RETURN_IF_ERROR(publication->Put("b.bin", large_));
    return publication->Commit(small);
  }

  absl::Status PublishThroughProxy(const std::string& small) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto store, OpenThroughProxy(/*create=*/true));
    return Publish(*store, small);
  }

  void ExpectWhole(int64_t version, const std::string& small) {
    EXPECT_EQ(direct_->Read("m", version, "a.bin", 100).value(), small);
    EXPECT_EQ(direct_->Read("m", version, kManifestFile, 100).value(), small);
    EXPECT_TRUE(direct_->Read("m", version, "b.bin", large_.size()).value() == large_);
  }

  void ClearDebris() {
    const std::vector<Debris> all = direct_->ListDebris().value();
    for (const Debris& debris : all) EXPECT_TRUE(direct_->RemoveDebris(debris).ok()) << debris.path;
    EXPECT_THAT(direct_->ListDebris().value(), IsEmpty());
  }

  bool Struck(int at) { return static_cast<int>(proxy_.heads().size()) >= at; }

  S3Server& server_;
  HttpFaultProxy proxy_;
  S3Limits limits_;
  std::string large_;
  std::string path_;
  std::unique_ptr<CheckpointStore> direct_;
};

TEST_P(S3StoreFaultTest, AfterAPublisherDiedReadersSeeTheOldVersionOrTheWholeNewOne) {
  limits_.attempts = 1;
  for (const HttpFault fault : {HttpFault::kCutBefore, HttpFault::kCutAfter}) {
    int at = 1;
    for (bool struck = true; struck; ++at) {
      SCOPED_TRACE(absl::StrCat(fault == HttpFault::kCutBefore ? "before" : "after", " request ", at));
      NextRun();
      ASSERT_TRUE(Publish(*direct_, "old").ok());
      proxy_.SetPlan([fault, at](int number, absl::string_view) {
        return number < at ? HttpFault::kNone : number == at ? fault : HttpFault::kCutBefore;
      });
      const absl::Status published = PublishThroughProxy("new");
      struck = Struck(at);
      ASSERT_TRUE(struck || published.ok()) << published;

      const std::vector<int64_t> seen = direct_->ListVersions("m").value();
      if (published.ok()) {
        EXPECT_THAT(seen, ElementsAre(1, 2));
      }
      if (seen.size() == 2) {
        ExpectWhole(2, "new");
        EXPECT_TRUE(published.ok() || absl::StrContains(published.message(), "version 2 may yet come to exist"))
            << published;
      }
      // Whatever is left, the next publisher gets through, and debris alone is cleared.
      ASSERT_TRUE(Publish(*direct_, "next").ok());
      ClearDebris();
      const std::vector<int64_t> after = direct_->ListVersions("m").value();
      ASSERT_EQ(after.size(), seen.size() + 1);
      ExpectWhole(1, "old");
      ExpectWhole(after.back(), "next");
    }
    EXPECT_GT(at, 12) << "the test no longer reaches the requests of a publication";
  }
}

TEST_P(S3StoreFaultTest, APublisherGetsThroughWhereOneRequestFails) {
  for (const char* answer : {"cut before", "cut after", "truncated", kServerError, kSlowDown}) {
    const absl::string_view name = answer;
    const HttpFault fault = name == "cut before"  ? HttpFault::kCutBefore
                            : name == "cut after" ? HttpFault::kCutAfter
                            : name == "truncated" ? HttpFault::kTruncate
                                                  : HttpFault::kAnswer;
    proxy_.SetAnswer(answer);
    int at = 1;
    for (bool struck = true; struck; ++at) {
      SCOPED_TRACE(absl::StrCat(answer, " at request ", at));
      NextRun();
      proxy_.SetPlan(HttpFaultProxy::Once(fault, at));
      const absl::Status published = PublishThroughProxy("new");
      struck = Struck(at);
      ASSERT_TRUE(published.ok()) << published;
      ASSERT_THAT(direct_->ListVersions("m").value(), ElementsAre(1));
      ExpectWhole(1, "new");
      EXPECT_THAT(direct_->ListDebris().value(), IsEmpty());
    }
    EXPECT_GT(at, 10) << "the test no longer reaches the requests of a publication";
  }
}

TEST_P(S3StoreFaultTest, APublisherGetsThroughWhereAnAnswerDoesNotCome) {
  limits_.timeouts.request = absl::Milliseconds(500);
  limits_.attempts = 10;
  for (const char* request : {".claim", "b.bin?uploads", "partNumber=2", "b.bin?uploadId", "manifest.json"}) {
    SCOPED_TRACE(request);
    NextRun();
    proxy_.SetPlan(HttpFaultProxy::OnceAt(HttpFault::kStall, request));
    const absl::Status published = PublishThroughProxy("new");
    ASSERT_TRUE(published.ok()) << published;
    EXPECT_THAT(direct_->ListVersions("m").value(), ElementsAre(1));
    ExpectWhole(1, "new");
  }
}

TEST_P(S3StoreFaultTest, AReaderGetsTheRightBytesWhereOneRequestFails) {
  NextRun();
  ASSERT_TRUE(Publish(*direct_, "old").ok());
  ASSERT_TRUE(direct_->SetLabel("m", "stable", 1).ok());
  const absl::Time published_at = direct_->PublishedAt("m", 1).value();
  const auto store = OpenThroughProxy(/*create=*/false).value();
  for (const HttpFault fault : {HttpFault::kCutBefore, HttpFault::kTruncate, HttpFault::kAnswer}) {
    proxy_.SetAnswer(kServerError);
    int at = 1;
    for (bool struck = true; struck; ++at) {
      SCOPED_TRACE(absl::StrCat("fault ", static_cast<int>(fault), " at request ", at));
      proxy_.SetPlan(HttpFaultProxy::Once(fault, at));
      EXPECT_THAT(store->ListModels().value(), ElementsAre("m"));
      EXPECT_THAT(store->ListVersions("m").value(), ElementsAre(1));
      EXPECT_EQ(store->PublishedAt("m", 1).value(), published_at);
      EXPECT_THAT(store->ListLabels("m").value(), ElementsAre(Pair("stable", Label{1, 0})));
      EXPECT_TRUE(store->Read("m", 1, "b.bin", large_.size()).value() == large_);
      struck = Struck(at);
    }
    EXPECT_GT(at, 9) << "the test no longer reaches the requests of a reader";
  }
}

TEST_P(S3StoreFaultTest, AStoreThatIsAwayOpensForReadersAndSaysSoLater) {
  NextRun();
  proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kCutBefore; });
  const auto store = OpenThroughProxy(/*create=*/false);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_THAT(proxy_.heads(), IsEmpty());
  const absl::Status status = (*store)->ListVersions("m").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("s3://faults"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(proxy_.endpoint()));
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("tried ", limits_.attempts, " times")));
  EXPECT_EQ(static_cast<int>(proxy_.heads().size()), limits_.attempts);
  EXPECT_EQ(OpenThroughProxy(/*create=*/true).status().code(), absl::StatusCode::kUnavailable);
}

TEST_P(S3StoreFaultTest, WhatTheServerRefusesIsSaidOnceAndWithoutCredentials) {
  NextRun();
  const auto store = OpenThroughProxy(/*create=*/false).value();
  struct Case {
    const char* status;
    const char* code;
    absl::StatusCode expected;
  };
  for (const Case& c : {Case{"403 Forbidden", "AccessDenied", absl::StatusCode::kPermissionDenied},
                        Case{"404 Not Found", "NoSuchBucket", absl::StatusCode::kNotFound},
                        Case{"400 Bad Request", "AuthorizationHeaderMalformed", absl::StatusCode::kFailedPrecondition},
                        Case{"507 Full", "XMinioStorageFull", absl::StatusCode::kResourceExhausted}}) {
    const std::string body = absl::StrCat("<?xml version=\"1.0\"?><Error><Code>", c.code,
                                          "</Code><Message>as it is</Message><AWSAccessKeyId>genoserve-test"
                                          "</AWSAccessKeyId><StringToSign>not-a-secret</StringToSign></Error>");
    proxy_.SetAnswer(absl::StrCat("HTTP/1.1 ", c.status, "\r\nContent-Length: ", body.size(),
                                  "\r\nConnection: close\r\n\r\n", body));
    proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kAnswer; });
    const absl::Status status = store->ListVersions("m").status();
    EXPECT_EQ(status.code(), c.expected) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat(c.code, ": as it is")));
    EXPECT_THAT(std::string(status.message()), HasSubstr("s3://faults"));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("genoserve-test")));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
    EXPECT_EQ(proxy_.heads().size(), size_t{1}) << "another try would not help";
  }
}

TEST_P(S3StoreFaultTest, WhatOnlyLooksLikeAMissingObjectSaysNothingOfTheVersion) {
  NextRun();
  ASSERT_TRUE(Publish(*direct_, "old").ok());
  const auto store = OpenThroughProxy(/*create=*/false).value();
  const std::string page = "<html><body>No such page</body></html>";
  const std::string gone = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>none</Message></Error>";
  for (const std::string& body : {page, gone}) {
    proxy_.SetAnswer(
        absl::StrCat("HTTP/1.1 404 Not Found\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n\r\n", body));
    proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kAnswer; });
    EXPECT_EQ(store->Read("m", 1, "b.bin", large_.size()).status().code(), absl::StatusCode::kUnavailable) << body;
    EXPECT_EQ(store->Read("m", 1, kManifestFile, 100).status().code(), absl::StatusCode::kUnavailable) << body;
  }
}

TEST_P(S3StoreFaultTest, AnObjectThatChangesWhileItIsReadIsNoticed) {
  NextRun();
  ASSERT_TRUE(Publish(*direct_, "old").ok());
  const auto store = OpenThroughProxy(/*create=*/false).value();
  // One look for the manifest, then the parts: the second of them is asked for by the mark of the first.
  proxy_.SetAnswer("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  proxy_.SetPlan(HttpFaultProxy::OnceAt(HttpFault::kAnswer, "If-Match"));
  const absl::Status status = store->Read("m", 1, "b.bin", large_.size()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("m/1/b.bin: was changed while it was read"));
}

TEST_P(S3StoreFaultTest, AServerWithoutConditionalWritesIsRefused) {
  NextRun();
  proxy_.SetAnswer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kAnswer; });
  const absl::Status ignored = OpenThroughProxy(/*create=*/true).status();
  EXPECT_EQ(ignored.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(ignored.message()), HasSubstr("does not honour If-None-Match"));
  proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kAnswer; });
  proxy_.SetAnswer("HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  const absl::Status unknown = OpenThroughProxy(/*create=*/true).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("does not honour If-None-Match"));
  EXPECT_EQ(proxy_.heads().size(), size_t{1}) << "another try would not help";
  EXPECT_TRUE(OpenThroughProxy(/*create=*/false).ok()) << "readers do not care";
}

TEST_P(S3StoreFaultTest, LargeFilesAreReadInPartsAndTheirLimitIsKept) {
  NextRun();
  ASSERT_TRUE(Publish(*direct_, "old").ok());
  const auto store = OpenThroughProxy(/*create=*/false).value();
  proxy_.SetPlan(HttpFaultProxy::Once(HttpFault::kNone, 0));
  EXPECT_EQ(store->Read("m", 1, "b.bin", large_.size() - 1).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(proxy_.heads().size(), size_t{2}) << "a look for the manifest and the first part, which tells the size";
  proxy_.SetPlan(HttpFaultProxy::Once(HttpFault::kNone, 0));
  EXPECT_TRUE(store->Read("m", 1, "b.bin", large_.size()).value() == large_);
  EXPECT_EQ(proxy_.heads().size(), size_t{4});
}

INSTANTIATE_TEST_SUITE_P(Servers, S3StoreFaultTest, testing::ValuesIn(S3Server::Installed()),
                         [](const auto& make) { return MakeName(make.param); });

}  // namespace
}  // namespace genoserve
