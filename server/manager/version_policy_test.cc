#include "server/manager/version_policy.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace genoserve {
namespace {

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);

// "1S 2Q 3" is three versions: a number, a letter for the phase and marks. Letters: S serving, L loading, R retiring,
// P parking, U unloaded, E deferred, F failed and waiting, D failed and due, Q quarantined, T too large; none is new.
// Marks: '!' it failed before, '+' pinned, '?' asked for now, '~' asked for long ago, '&' held, '-' not in the store.
void Parse(const std::string& text, ModelFacts& model) {
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    size_t end = 0;
    while (end < word.size() && absl::ascii_isdigit(static_cast<unsigned char>(word[end]))) ++end;
    int64_t version = 0;
    ASSERT_TRUE(absl::SimpleAtoi(word.substr(0, end), &version)) << text;
    VersionFacts& facts = model.versions[version];
    bool listed = true;
    for (const char letter : word.substr(end)) {
      switch (letter) {
        case 'S':
          facts.phase = VersionPhase::kServing;
          break;
        case 'L':
          facts.phase = VersionPhase::kLoading;
          break;
        case 'R':
          facts.phase = VersionPhase::kRetiring;
          break;
        case 'P':
          facts.phase = VersionPhase::kParking;
          break;
        case 'U':
          facts.phase = VersionPhase::kUnloaded;
          break;
        case 'E':
          facts.phase = VersionPhase::kDeferred;
          break;
        case 'F':
        case 'D':
          facts.phase = VersionPhase::kFailed;
          facts.retry_at = letter == 'D' ? kNow : kNow + absl::Seconds(1);
          facts.attempts = 1;
          break;
        case 'Q':
          facts.phase = VersionPhase::kQuarantined;
          facts.attempts = 1;
          break;
        case 'T':
          facts.phase = VersionPhase::kTooLarge;
          break;
        case '!':
          facts.attempts = 1;
          break;
        case '+':
          facts.pinned = true;
          break;
        case '?':
        case '~':
          facts.asked = true;
          facts.last_use = letter == '?' ? kNow : kNow - kOnDemandIdle;
          break;
        case '&':
          facts.held = true;
          break;
        case '-':
          listed = false;
          break;
        default:
          FAIL() << text;
      }
    }
    if (listed) model.listing.versions.push_back(version);
  }
}

struct Case {
  const char* config;        // ModelConfig
  const char* labels;        // "stable=2 canary=3"
  const char* versions;      // see Parse
  int64_t answering_before;  // 0 = none
  // What is to come of it.
  int64_t target;
  int64_t answering;
  int64_t canary;
  const char* keep;  // "1 2"
  const char* get;   // "3:outage 2:wanted"; by number
};

std::string UrgencyName(Urgency urgency) {
  switch (urgency) {
    case Urgency::kOutage:
      return "outage";
    case Urgency::kAsked:
      return "asked";
    case Urgency::kDefault:
      return "default";
    case Urgency::kWanted:
      return "wanted";
  }
  return "";
}

ModelFacts FactsOf(const Case& each) {
  ModelFacts model;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(each.config, &model.config)) << each.config;
  for (const absl::string_view label : absl::StrSplit(each.labels, ' ', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(label, '=');
    EXPECT_TRUE(absl::SimpleAtoi(parts.second, &model.listing.labels[parts.first].version));
  }
  Parse(each.versions, model);
  model.answering = each.answering_before;
  return model;
}

void Check(const Case& each) {
  const ModelWishes wishes = WishesOf(FactsOf(each), kNow);
  std::string keep;
  for (const int64_t version : wishes.keep) absl::StrAppend(&keep, keep.empty() ? "" : " ", version);
  std::string get;
  for (const auto& [version, urgency] : wishes.get) {
    absl::StrAppend(&get, get.empty() ? "" : " ", version, ":", UrgencyName(urgency));
  }
  const std::string which = absl::StrCat("{", each.config, "} {", each.labels, "} {", each.versions, "}");
  EXPECT_EQ(wishes.target, each.target) << which;
  EXPECT_EQ(wishes.answering, each.answering) << which;
  EXPECT_EQ(wishes.canary, each.canary) << which;
  EXPECT_EQ(keep, each.keep) << which;
  EXPECT_EQ(get, each.get) << which;
}

TEST(VersionPolicyTest, WithoutAPolicyTheNewestVersionThatCanAnswersDoes) {
  const Case cases[] = {
      {"", "", "", 0, 0, 0, 0, "", ""},
      {"", "", "1 2 3", 0, 3, 0, 0, "3", "3:outage"},
      {"", "", "1 2 3S", 3, 3, 3, 0, "3", ""},
      {"", "", "1 2 3L", 0, 3, 0, 0, "3", ""},
      {"", "", "1 2S 3", 2, 3, 2, 0, "2 3", "3:default"},
      {"", "", "1 2S 3L", 2, 3, 2, 0, "2 3", ""},
      {"", "", "1 2S 3S", 2, 3, 3, 0, "3", ""},  // the swap
      {"", "", "1 2S 3Q", 2, 2, 2, 0, "2", ""},  // the old one goes on
      {"", "", "1 2S 3F", 2, 2, 2, 0, "2", ""},  //
      {"", "", "1 2S 3T", 2, 2, 2, 0, "2", ""},  //
      {"", "", "1 2S 3D", 2, 3, 2, 0, "2 3", "3:default"},
      {"", "", "1 2 3Q", 0, 2, 0, 0, "2", "2:outage"},     // nothing serves: the last good one
      {"", "", "1 2 3L!", 0, 3, 0, 0, "2 3", "2:wanted"},  // and a retry does not put it off
      {"", "", "1F 2Q 3Q", 0, 0, 0, 0, "", ""},
      {"", "", "1 2 3S-", 3, 2, 3, 0, "2 3", "2:default"},  // the newest was taken out of the store
      {"", "", "1 2R 3S-", 3, 2, 3, 0, "2 3", "2:default"},
      {"", "", "1 2R 3S", 3, 3, 3, 0, "3", ""},
      {"", "", "3S-", 3, 3, 3, 0, "3", ""},                 // the whole model was
      {"", "", "2S- 3S-", 3, 3, 3, 0, "2 3", ""},           // more likely a mistake
      {"", "", "1 2 3U", 0, 3, 0, 0, "3", ""},              // comes back when it is asked for
      {"", "", "1 2 3U?", 0, 3, 0, 0, "3", "3:outage"},     //
      {"", "", "1 2S 3U", 2, 3, 2, 0, "2 3", ""},           // what answered goes on
      {"", "", "1 2 3P", 0, 3, 0, 0, "3", ""},              //
      {"", "", "1 2 3P?", 0, 3, 0, 0, "3", "3:outage"},     //
      {"", "", "1 2 3E", 0, 3, 0, 0, "3", "3:outage"},      // comes as soon as there is room
      {"", "", "1 2S 3E", 2, 3, 2, 0, "2 3", "3:default"},  //
  };
  for (const Case& each : cases) Check(each);
}

TEST(VersionPolicyTest, TheLatestSoManyAreKeptUntilNewerOnesServe) {
  const Case cases[] = {
      {"policy { latest: 2 }", "", "1 2 3", 0, 3, 0, 0, "2 3", "2:wanted 3:outage"},
      {"policy { latest: 2 }", "", "1 2S 3S 4", 3, 4, 3, 0, "2 3 4", "4:default"},
      {"policy { latest: 2 }", "", "1 2S 3S 4S", 4, 4, 4, 0, "3 4", ""},
      {"policy { latest: 2 }", "", "1S 2Q 3S", 3, 3, 3, 0, "1 3", ""},  // 1 stands in for 2
      {"policy { latest: 2 }", "", "1S 2D 3S", 3, 3, 3, 0, "1 2 3", "2:wanted"},
      {"policy { latest: 9 }", "", "1 2S", 2, 2, 2, 0, "1 2", "1:wanted"},
      {"policy { latest: 2 }", "", "1 2U 3S", 3, 3, 3, 0, "2 3", ""},
      {"policy { latest: 2 }", "", "1S 2P", 2, 2, 0, 0, "1 2", ""},  // what leaves memory keeps its place
  };
  for (const Case& each : cases) Check(each);
}

TEST(VersionPolicyTest, AllSpecificAndLabelledOnes) {
  const Case cases[] = {
      {"policy { all: true }", "", "1 2S 3", 2, 3, 2, 0, "1 2 3", "1:wanted 3:default"},
      {"policy { all: true }", "", "1S 2S 3Q", 2, 2, 2, 0, "1 2", ""},
      {"policy { all: true }", "", "1S 2 3", 0, 3, 1, 0, "1 2 3", "2:wanted 3:default"},  // better an old one than none
      {"policy { all: true }", "", "1S- 2S", 2, 2, 2, 0, "2", ""},
      {"policy { specific { versions: [1, 3, 7] } }", "", "1 2S 3", 2, 3, 2, 0, "1 2 3", "1:wanted 3:default"},
      {"policy { specific { versions: 1 } }", "", "1S 2S 3", 2, 1, 1, 0, "1", ""},  // older, because it is so wanted
      {"policy { specific { versions: 7 } }", "", "1 2 3", 0, 0, 0, 0, "", ""},
      {"policy { specific { versions: 7 } }", "", "1 2S 3", 2, 2, 2, 0, "2", ""},  // nothing replaces it
      {"policy { label: 'best' }", "best=2", "1 2 3", 0, 2, 0, 0, "2", "2:outage"},
      {"policy { label: 'best' }", "best=1", "1 2S 3", 2, 1, 2, 0, "1 2", "1:default"},
      {"policy { label: 'best' }", "", "1 2 3", 0, 0, 0, 0, "", ""},
      {"policy { label: 'best' }", "", "1 2S 3", 2, 2, 2, 0, "2", ""},
      {"policy { label: 'best' }", "best=9", "1 2S 3", 2, 2, 2, 0, "2", ""},  // not there yet
  };
  for (const Case& each : cases) Check(each);
}

TEST(VersionPolicyTest, StableAnswersWhateverThePolicyWants) {
  const Case cases[] = {
      {"", "stable=2", "1 2 3", 0, 2, 0, 0, "2 3", "2:outage 3:wanted"},
      {"", "stable=2", "1 2S 3S", 2, 2, 2, 0, "2 3", ""},
      {"", "stable=2", "1 2 3S", 3, 2, 3, 0, "2 3", "2:default"},
      {"", "stable=1", "1S 2S 3S", 2, 1, 1, 0, "1 3", ""},  // a rollback at once
      {"", "stable=1", "1Q 2S 3S", 2, 2, 2, 0, "2 3", ""},  // what answers goes on, not the untried newest
      {"", "stable=1", "1D 2S 3S", 2, 1, 2, 0, "1 2 3", "1:default"},
      {"", "stable=1", "1Q 2 3S", 0, 3, 3, 0, "3", ""},           // nothing answers: the policy's
      {"", "stable=1", "1F 2 3S", 0, 0, 0, 0, "3", ""},           // a failure that passes is waited out
      {"", "stable=9", "1 2S 3", 2, 2, 2, 0, "2 3", "3:wanted"},  // not there yet
      {"", "stable=2", "1 2S- 3S", 2, 2, 2, 0, "2 3", ""},        // gone from the store, and nothing replaces it
      {"policy { specific { versions: 1 } }", "stable=3", "1 2 3", 0, 3, 0, 0, "1 3", "1:wanted 3:outage"},
      {"", "", "1 2S 3S", 2, 3, 3, 0, "3", ""},  // the label is removed
  };
  for (const Case& each : cases) Check(each);
}

TEST(VersionPolicyTest, TheCanaryIsLoadedWhereItHasAShare) {
  const Case cases[] = {
      {"canary_percent: 5", "stable=2 canary=1", "1 2S 3S", 2, 2, 2, 1, "1 2 3", "1:wanted"},
      {"canary_percent: 5", "stable=2 canary=3", "1 2S 3S", 2, 2, 2, 3, "2 3", ""},
      {"", "stable=2 canary=1", "1 2S 3S", 2, 2, 2, 0, "2 3", ""},
      {"canary_percent: 5", "stable=2 canary=2", "1 2S 3S", 2, 2, 2, 0, "2 3", ""},  // it answers anyway
      {"canary_percent: 5", "stable=2 canary=1", "1Q 2S 3S", 2, 2, 2, 0, "2 3", ""},
      {"canary_percent: 5", "stable=2 canary=9", "1 2S 3S", 2, 2, 2, 0, "2 3", ""},
      {"canary_percent: 5", "stable=3", "1 2S 3S", 2, 3, 3, 0, "3", ""},  // promoted
  };
  for (const Case& each : cases) Check(each);
}

TEST(VersionPolicyTest, PinnedOnesAndThoseThatRequestsNameAreLoadedToo) {
  const Case cases[] = {
      {"", "", "1+ 2 3S", 3, 3, 3, 0, "1 3", "1:wanted"},
      {"", "", "1S+ 2 3S", 3, 3, 3, 0, "1 3", ""},
      {"", "", "1U+ 2 3S", 3, 3, 3, 0, "1 3", "1:wanted"},
      {"", "", "1Q+ 2 3S", 3, 3, 3, 0, "1 3", ""},
      {"", "", "1? 2 3S", 3, 3, 3, 0, "1 3", "1:asked"},
      {"", "", "1U? 2 3S", 3, 3, 3, 0, "1 3", "1:asked"},
      {"", "", "1F? 2 3S", 3, 3, 3, 0, "1 3", ""},
      {"", "", "1D? 2 3S", 3, 3, 3, 0, "1 3", "1:asked"},
      {"", "", "1S? 2 3S", 3, 3, 3, 0, "1 3", ""},
      {"", "", "1S~ 2 3S", 3, 3, 3, 0, "3", ""},     // idle for long
      {"", "", "1S~& 2 3S", 3, 3, 3, 0, "1 3", ""},  // its stream runs on
      {"", "", "1~ 2 3S", 3, 3, 3, 0, "3", ""},      // whoever asked has gone
      {"", "", "1U~ 2 3S", 3, 3, 3, 0, "3", ""},
      {"", "", "1S?- 2 3S", 3, 3, 3, 0, "1 3", ""},
  };
  for (const Case& each : cases) Check(each);
}

TEST(VersionPolicyTest, AModelHasBeenTriedOnceItAnswersOrCannot) {
  const struct {
    const char* config;
    const char* versions;
    int64_t answering;
    bool tried;
  } cases[] = {
      {"", "1 2", 0, false},  {"", "1 2L", 0, false},
      {"", "1 2S", 2, true},  {"", "1 2Q", 0, false},
      {"", "1Q 2Q", 0, true}, {"", "1F 2Q", 0, true},
      {"", "1Q 2D", 0, true}, {"", "1L! 2Q", 0, true},
      {"", "1 2U", 0, true},  {"", "1S 2L", 1, true},
      {"", "", 0, true},      {"", "1T", 0, true},
      {"", "1 2E", 0, true},  {"policy { label: 'best' }", "1 2", 0, true},
  };
  for (const auto& each : cases) {
    const ModelFacts model = FactsOf({each.config, "", each.versions, each.answering, 0, 0, 0, "", ""});
    EXPECT_EQ(HasBeenTried(model, kNow), each.tried) << each.versions;
  }
}

TEST(CanaryTest, TheSameKeyAlwaysGoesTheSameWayAndTheShareIsKept) {
  int canary = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = absl::StrCat("request-", i);
    const bool goes = GoesToCanary("model", key, 20);
    canary += goes ? 1 : 0;
    EXPECT_EQ(GoesToCanary("model", key, 20), goes);
    // More percent only adds.
    EXPECT_TRUE(!goes || GoesToCanary("model", key, 30)) << key;
    EXPECT_TRUE(GoesToCanary("model", key, 100));
    EXPECT_FALSE(GoesToCanary("model", key, 0));
  }
  EXPECT_NEAR(canary, 2000, 160);  // four standard deviations
  EXPECT_FALSE(GoesToCanary("model", "", 100)) << "nothing to choose by";
  // Every server of every build chooses alike: SHA-256 of "model\nrequest-0" is 0.6713 of what it can be.
  EXPECT_FALSE(GoesToCanary("model", "request-0", 67.1));
  EXPECT_TRUE(GoesToCanary("model", "request-0", 67.2));
}

}  // namespace
}  // namespace genoserve
