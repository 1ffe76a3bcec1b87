#include "server/manager/next_action.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

using Kind = Action::Kind;
using Phase = VersionPhase;

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);

// Facts of a server, put together a version at a time.
class Facts {
 public:
  explicit Facts(int64_t budget = 0) {
    facts_.memory_budget = budget;
    facts_.now = kNow;
  }
  Facts& Loading() {
    facts_.loading = true;
    return *this;
  }
  /// A version in the store, of so many bytes (0 = not known), last used so many seconds ago (-1 = never).
  Facts& Add(const std::string& model, int64_t version, Phase phase, int64_t bytes, int seconds_ago = -1) {
    ModelFacts& facts = facts_.models[model];
    facts.listing.versions.push_back(version);
    last_ = &facts.versions[version];
    last_->phase = phase;
    last_->bytes = bytes;
    if (seconds_ago >= 0) last_->last_use = kNow - absl::Seconds(seconds_ago);
    if (phase == Phase::kServing) facts.answering = version;
    return *this;
  }
  // Of the version that was added last.
  Facts& Held() {
    last_->held = true;
    return *this;
  }
  Facts& Pinned() {
    last_->pinned = true;
    return *this;
  }
  Facts& Asked() {
    last_->asked = true;
    last_->last_use = kNow;
    return *this;
  }
  Facts& Verified() {
    last_->verified = true;
    return *this;
  }
  Facts& FailedBefore() {
    last_->attempts = 1;
    last_->retry_at = kNow;
    return *this;
  }
  Facts& Answering(const std::string& model, int64_t version) {
    facts_.models[model].answering = version;
    return *this;
  }
  Facts& Policy(const std::string& model, const v1::VersionPolicy& policy) {
    *facts_.models[model].config.mutable_policy() = policy;
    return *this;
  }
  const ServerFacts& get() const { return facts_; }

 private:
  ServerFacts facts_;
  VersionFacts* last_ = nullptr;
};

v1::VersionPolicy All() {
  v1::VersionPolicy policy;
  policy.set_all(true);
  return policy;
}

std::string Text(const Action& action) {
  constexpr const char* kNames[] = {"none",    "retire", "park",   "revive", "estimate",
                                    "outgrow", "defer",  "verify", "load"};
  if (action.kind == Kind::kNone) return "none";
  return absl::StrCat(kNames[static_cast<int>(action.kind)], " ", action.model, " ", action.version);
}

struct Case {
  const char* why;
  Facts facts;
  const char* action;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& each : cases) EXPECT_EQ(Text(NextAction(each.facts.get())), each.action) << each.why;
}

TEST(NextActionTest, WithoutABudgetTheMostUrgentIsLoadedAndWhatIsNotWantedRetired) {
  Check({
      {"nothing there", Facts(), "none"},
      {"the newest", Facts().Add("a", 1, Phase::kNew, 0).Add("a", 2, Phase::kNew, 0), "load a 2"},
      {"one load at a time", Facts().Loading().Add("a", 1, Phase::kNew, 0), "none"},
      {"what cannot answer comes before better versions of what can",
       Facts().Add("a", 1, Phase::kServing, 0).Add("a", 2, Phase::kNew, 0).Add("b", 1, Phase::kNew, 0), "load b 1"},
      {"what is waited for comes before better versions",
       Facts()
           .Add("a", 1, Phase::kServing, 0)
           .Add("a", 2, Phase::kNew, 0)
           .Add("b", 1, Phase::kNew, 0)
           .Asked()
           .Add("b", 2, Phase::kServing, 0),
       "load b 1"},
      {"a better version", Facts().Add("a", 1, Phase::kServing, 0).Add("a", 2, Phase::kNew, 0), "load a 2"},
      {"the swap is done", Facts().Add("a", 1, Phase::kServing, 0).Add("a", 2, Phase::kServing, 0), "retire a 1"},
      {"also while another loads", Facts().Loading().Add("a", 1, Phase::kServing, 0).Add("a", 2, Phase::kServing, 0),
       "retire a 1"},
      {"back before it was freed", Facts().Add("a", 1, Phase::kRetiring, 0).Held().Add("a", 2, Phase::kQuarantined, 0),
       "revive a 1"},
      {"its memory is being given back", Facts().Add("a", 1, Phase::kRetiring, 0).Add("a", 2, Phase::kQuarantined, 0),
       "none"},
      {"a failed one is tried again when it is due",
       Facts().Add("a", 1, Phase::kServing, 0).Add("a", 2, Phase::kFailed, 0).FailedBefore(), "load a 2"},
      {"of many versions the one that is to answer comes first",
       Facts().Policy("a", All()).Add("a", 1, Phase::kNew, 0).Add("a", 2, Phase::kNew, 0), "load a 2"},
      {"nobody asked for it any more", Facts().Add("a", 1, Phase::kServing, 0).Asked().Add("a", 2, Phase::kServing, 0),
       "none"},
  });
  Facts idle;
  idle.Add("a", 1, Phase::kServing, 0).Asked().Add("a", 2, Phase::kServing, 0);
  ServerFacts later = idle.get();
  later.now += kOnDemandIdle;
  EXPECT_EQ(Text(NextAction(later)), "park a 1");
}

TEST(NextActionTest, WithRoomForBothANewVersionIsLoadedBesideTheOld) {
  Check({
      {"how much does it take?", Facts(100).Add("a", 1, Phase::kNew, 0), "estimate a 1"},
      {"it fits", Facts(100).Add("a", 1, Phase::kNew, 100), "load a 1"},
      {"both fit", Facts(100).Add("a", 1, Phase::kServing, 50).Held().Add("a", 2, Phase::kNew, 50), "load a 2"},
      {"another one that is idle and was used before gives its room",
       Facts(100).Add("a", 1, Phase::kServing, 40, 5).Add("a", 2, Phase::kNew, 40).Add("b", 1, Phase::kServing, 40, 9),
       "park b 1"},
      {"that was done, its memory is not back yet",
       Facts(100).Add("a", 1, Phase::kServing, 40, 5).Add("a", 2, Phase::kNew, 40).Add("b", 1, Phase::kParking, 40, 9),
       "none"},
      {"now it is",
       Facts(100).Add("a", 1, Phase::kServing, 40, 5).Add("a", 2, Phase::kNew, 40).Add("b", 1, Phase::kUnloaded, 40, 9),
       "load a 2"},
  });
}

TEST(NextActionTest, WithoutRoomForBothTheOldVersionGivesItsRoomOnceTheNewOneIsKnownToBeWhole) {
  Check({
      {"first it is verified", Facts(100).Add("a", 1, Phase::kServing, 60).Held().Add("a", 2, Phase::kNew, 60),
       "verify a 2"},
      {"then the old one goes, streams or not",
       Facts(100).Add("a", 1, Phase::kServing, 60).Held().Add("a", 2, Phase::kNew, 60).Verified(), "retire a 1"},
      {"its streams run on",
       Facts(100).Add("a", 1, Phase::kRetiring, 60).Held().Add("a", 2, Phase::kNew, 60).Verified(), "none"},
      {"they have ended", Facts(100).Add("a", 1, Phase::kNew, 60).Add("a", 2, Phase::kNew, 60).Verified(), "load a 2"},
      {"a policy that wants both does not bring the old one back in between",
       Facts(100).Policy("a", All()).Add("a", 1, Phase::kRetiring, 60).Held().Add("a", 2, Phase::kNew, 60).Verified(),
       "none"},
      {"nor after it", Facts(100).Policy("a", All()).Add("a", 1, Phase::kNew, 60).Add("a", 2, Phase::kServing, 60),
       "defer a 1"},
      {"another one that is idle goes first",
       Facts(100)
           .Add("a", 1, Phase::kServing, 60, 1)
           .Add("a", 2, Phase::kNew, 80)
           .Verified()
           .Add("b", 1, Phase::kServing, 30, 9),
       "park b 1"},
      {"a pinned one stays", Facts(100).Add("a", 1, Phase::kServing, 60).Pinned().Add("a", 2, Phase::kNew, 60),
       "defer a 2"},
      {"the new one failed: the old one comes back",
       Facts(100).Add("a", 1, Phase::kNew, 60).Add("a", 2, Phase::kQuarantined, 60), "load a 1"},
      {"a canary does not replace what answers",
       Facts(100).Policy("a", All()).Add("a", 1, Phase::kNew, 60).Add("a", 2, Phase::kServing, 60).Held(), "defer a 1"},
  });
}

TEST(NextActionTest, OthersAreParkedTheLeastRecentlyUsedFirstForWhatIsAskedFor) {
  const auto three = [] {
    return Facts(100)
        .Add("a", 1, Phase::kServing, 30, 9)
        .Add("b", 1, Phase::kServing, 30, 90)
        .Add("c", 1, Phase::kServing, 30, 50);
  };
  Check({
      {"the least recently used", three().Add("d", 1, Phase::kUnloaded, 40).Asked(), "park b 1"},
      {"one that was never used is the least recently used",
       three().Add("e", 1, Phase::kServing, 10).Add("d", 1, Phase::kUnloaded, 40).Asked(), "park e 1"},
      {"not one that is held",
       Facts(60)
           .Add("a", 1, Phase::kServing, 30, 9)
           .Add("b", 1, Phase::kServing, 30, 90)
           .Held()
           .Add("d", 1, Phase::kUnloaded, 30)
           .Asked(),
       "park a 1"},
      {"nor one that is pinned",
       Facts(60)
           .Add("a", 1, Phase::kServing, 30, 9)
           .Add("b", 1, Phase::kServing, 30, 90)
           .Pinned()
           .Add("d", 1, Phase::kUnloaded, 30)
           .Asked(),
       "park a 1"},
      {"none is parked where that would not help",
       Facts(60)
           .Add("a", 1, Phase::kServing, 30, 9)
           .Add("b", 1, Phase::kServing, 30, 90)
           .Held()
           .Add("d", 1, Phase::kUnloaded, 40)
           .Asked(),
       "none"},
      {"nothing is parked for what nobody asked for",
       Facts(60).Add("a", 1, Phase::kServing, 30, 9).Add("b", 1, Phase::kServing, 30, 90).Add("d", 1, Phase::kNew, 30),
       "defer d 1"},
      {"what waits for room keeps it from the less urgent",
       Facts(100)
           .Add("a", 1, Phase::kParking, 60, 9)
           .Held()
           .Add("d", 1, Phase::kUnloaded, 90)
           .Asked()
           .Add("e", 1, Phase::kServing, 10)
           .Held()
           .Add("e", 2, Phase::kNew, 20),
       "defer e 2"},
      {"but not what is beside it",
       Facts(200)
           .Add("a", 1, Phase::kParking, 120, 9)
           .Held()
           .Add("d", 1, Phase::kUnloaded, 90)
           .Asked()
           .Add("e", 1, Phase::kServing, 10)
           .Held()
           .Add("e", 2, Phase::kNew, 60),
       "load e 2"},
  });
}

TEST(NextActionTest, LimitsOfABudget) {
  Check({
      {"it can never fit", Facts(100).Add("a", 1, Phase::kNew, 101), "outgrow a 1"},
      {"but is pinned", Facts(100).Add("a", 1, Phase::kNew, 101).Pinned(), "load a 1"},
      {"a pinned one is loaded whatever is in use",
       Facts(100).Add("a", 1, Phase::kServing, 60).Held().Add("b", 1, Phase::kNew, 60).Pinned(), "load b 1"},
      {"after what is idle has been parked",
       Facts(100).Add("a", 1, Phase::kServing, 60).Add("b", 1, Phase::kNew, 60).Pinned(), "park a 1"},
      {"a budget that was lowered", Facts(50).Add("a", 1, Phase::kServing, 30, 9).Add("b", 1, Phase::kServing, 30, 90),
       "park b 1"},
      {"that is done when its memory is back",
       Facts(50).Add("a", 1, Phase::kServing, 30, 9).Add("b", 1, Phase::kParking, 30, 90), "none"},
      {"what is used goes on",
       Facts(50).Add("a", 1, Phase::kServing, 30, 9).Held().Add("b", 1, Phase::kServing, 30, 90).Held(), "none"},
  });
  EXPECT_EQ(MemoryInUse(Facts()
                            .Add("a", 1, Phase::kServing, 1)
                            .Add("a", 2, Phase::kLoading, 10)
                            .Add("b", 1, Phase::kParking, 100)
                            .Add("b", 2, Phase::kUnloaded, 1000)
                            .get()),
            111);
}

}  // namespace
}  // namespace genoserve
