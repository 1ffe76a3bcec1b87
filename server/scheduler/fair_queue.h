// Weighted sharing by virtual time.
#pragma once

#include <algorithm>
#include <vector>

namespace genoserve {

/// What a member of a FairQueue has had so far.
class FairMember {
 public:
  /// `weight` > 0 is its share beside the weights of the others.
  explicit FairMember(double weight) : weight_(weight) {}

  /// For what is charged from now on.
  void SetWeight(double weight) { weight_ = weight; }

 private:
  template <typename Member>
  friend class FairQueue;

  double weight_;
  double time_ = 0;  // virtual: the cost that was charged, over the weight
  bool active_ = false;
};

/// Start-time fair queueing (Goyal, Vin and Cheng 1997): the next to be served is the active member with the least
/// virtual time, so that the costs of members that stay active keep the ratio of their weights within one charge. A
/// member that was away goes on from the time of the one that is served, at once but with no claim to what it did not
/// ask for. `Member` derives from FairMember and outlives its stay. Not thread-safe.
template <typename Member>
class FairQueue {
 public:
  bool empty() const { return active_.empty(); }

  /// Makes a member active; does nothing where it is.
  void Add(Member& member) {
    if (member.active_) return;
    member.active_ = true;
    member.time_ = std::max(member.time_, now_);
    active_.push_back(&member);
  }

  /// Has a member pause; does nothing where it does.
  void Remove(Member& member) {
    if (!member.active_) return;
    member.active_ = false;
    active_.erase(std::find(active_.begin(), active_.end(), &member));
  }

  /// The active member whose turn it is; null where there is none.
  Member* Next() {
    Member* const next = NextThat([](const Member&) { return true; });
    if (next != nullptr) now_ = std::max(now_, next->time_);
    return next;
  }

  /// The first in turn that `fits`, for what those before it have no use for.
  template <typename Fits>
  Member* NextThat(const Fits& fits) const {
    Member* next = nullptr;
    for (Member* member : active_) {
      if ((next == nullptr || member->time_ < next->time_) && fits(*member)) next = member;
    }
    return next;
  }

  /// By how much virtual time a member is before another: what it had beyond its share, over its weight.
  double Lead(const Member& member, const Member& other) const { return member.time_ - other.time_; }

  /// Adds the cost of what a member was given; below 0 to take back what was charged too much.
  void Charge(Member& member, double cost) { member.time_ += cost / member.weight_; }

  /// Whether a member that pauses has had no more than its share, so that it may as well be forgotten.
  bool Settled(const Member& member) const { return !member.active_ && member.time_ <= now_; }

 private:
  std::vector<Member*> active_;
  double now_ = 0;  // virtual time of the last one whose turn it was
};

}  // namespace genoserve
