#include "core/quality/attacks.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_format.h"
#include "core/base/parallel.h"
#include "core/quality/allele_frequency.h"
#include "core/quality/attribute.h"
#include "core/quality/bit_planes.h"
#include "core/quality/evenly_spaced.h"
#include "core/quality/families.h"
#include "core/quality/kinship.h"
#include "core/quality/measurement.h"
#include "core/quality/membership.h"
#include "core/quality/person_resamples.h"
#include "core/quality/roc.h"

namespace genoserve {
namespace {

constexpr size_t kFewestKinshipVariants = 100;
constexpr size_t kReferenceShare = 2;  // a reference of half as many samples as the cohorts have is enough
constexpr size_t kRocPoints = 200;     // of a drawn curve
constexpr double kBin = 0.02;          // of the histogram of kinship
constexpr int kBins = 31;              // from -0.1 to 0.52
constexpr double kFirstBin = -0.1;

// Largest kinship of each sample of a candidate with one of the members, and with one of the hold-out.
struct NearestRelatives {
  std::vector<double> member;
  std::vector<double> holdout;
};

// 1 for each kinship in (above, up_to], else 0.
std::vector<double> Between(const std::vector<double>& kinship, double above, double up_to) {
  std::vector<double> inside(kinship.size());
  for (size_t i = 0; i < kinship.size(); ++i) inside[i] = kinship[i] > above && kinship[i] <= up_to ? 1 : 0;
  return inside;
}

void AddBars(absl::string_view name, absl::string_view role, const std::vector<double>& kinship, v1::Chart* chart) {
  std::vector<size_t> counts(kBins);
  for (const double value : kinship) {
    const double bin = std::clamp((value - kFirstBin) / kBin, 0.0, kBins - 1.0);
    ++counts[static_cast<size_t>(bin)];
  }
  v1::Series& series = *chart->add_series();
  series.set_name(std::string(name));
  series.set_role(std::string(role));
  for (int bin = 0; bin < kBins; ++bin) {
    series.add_x(static_cast<float>(kFirstBin + bin * kBin));
    series.add_y(static_cast<float>(counts[static_cast<size_t>(bin)]) / static_cast<float>(kinship.size()));
  }
}

void AddKinshipChart(const NearestRelatives& synthetic, v1::Quality* quality) {
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("kinship.histogram");
  chart.set_title("Kinship with the nearest real person");
  chart.set_kind(v1::CHART_KIND_BAR);
  chart.mutable_x()->set_title("KING-robust kinship");
  chart.mutable_y()->set_title("share of synthetic samples");
  AddBars("of the training", "training", synthetic.member, &chart);
  AddBars("never seen", "holdout", synthetic.holdout, &chart);
  chart.set_note(
      "Both should look alike. Above 0.354 is the same person or a twin, above 0.177 a parent, child or full sibling, "
      "above 0.0884 a second-degree relative; the first bar holds all that are lower too.");
}

void MeasureKinship(const QualitySets& sets, v1::Quality* quality) {
  const std::vector<size_t> variants = KinshipVariants(sets.whole_training.genotypes);
  const KinshipSet members(sets.members.genotypes, variants);
  std::string reason;
  if (variants.size() < kFewestKinshipVariants) {
    reason = absl::StrFormat(
        "kinship needs %d variants with a minor allele frequency of 5 %% or more in the training, which has %d",
        kFewestKinshipVariants, variants.size());
  } else if (members.heterozygous() == 0) {
    reason = "kinship is not defined where no genotype of the training is heterozygous";
  }
  if (!reason.empty()) {
    for (const FigureInfo& figure : AttackFigures()) {
      if (figure.name.substr(0, 8) == "kinship.") AddMissingFigure(figure.name, "", reason, quality);
    }
    return;
  }
  const KinshipSet holdout(sets.holdout.genotypes, variants);
  std::array<NearestRelatives, 3> nearest;
  for (const Candidate candidate : kCandidates) {
    const KinshipSet samples(sets.candidate(candidate).genotypes, variants);
    nearest[static_cast<size_t>(candidate)] = {LargestKinship(samples, members), LargestKinship(samples, holdout)};
  }
  const auto add = [&](absl::string_view name, double above, double up_to, bool less_holdout) {
    const Measurements measurements = ForEachCandidate([&](Candidate candidate) {
      const NearestRelatives& of = nearest[static_cast<size_t>(candidate)];
      std::vector<double> values = Between(of.member, above, up_to);
      if (less_holdout) {
        const std::vector<double> other = Between(of.holdout, above, up_to);
        for (size_t i = 0; i < values.size(); ++i) values[i] -= other[i];
      }
      return BootstrapMean(values, sets.seed, "there are no samples");
    });
    AddFigure(name, "", measurements, quality);
  };
  add("kinship.duplicates", kDuplicateKinship, 1, false);
  add("kinship.first_degree", kFirstDegreeKinship, kDuplicateKinship, false);
  add("kinship.second_degree", kSecondDegreeKinship, kFirstDegreeKinship, false);
  add("kinship.duplicates_excess", kDuplicateKinship, 1, true);
  add("kinship.relatives_excess", kFirstDegreeKinship, 1, true);

  const KinshipSet training(sets.whole_training.genotypes, variants);
  const Measurements duplicates = ForEachCandidate([&](Candidate candidate) {
    const Cohort& whole = candidate == Candidate::kSynthetic ? sets.whole_synthetic
                          : candidate == Candidate::kFloor   ? sets.whole_holdout
                                                             : sets.candidate(candidate);
    const Cohort some = whole.Select(EvenlySpaced(whole.samples(), kKinshipSamples));
    std::vector<double> found =
        Between(LargestKinship(KinshipSet(some.genotypes, variants), training), kDuplicateKinship, 1);
    // The hold-out may have other shares of the labels than the synthetic cohort.
    const std::vector<double> weights = WeightsByLabel(some, sets.whole_synthetic);
    for (size_t i = 0; i < found.size(); ++i) found[i] *= weights[i];
    return BootstrapMean(found, sets.seed, "there are no samples");
  });
  AddFigure("kinship.duplicates_training", "", duplicates, quality);
  AddKinshipChart(nearest[0], quality);
}

// People who are attacked, and how they are resampled.
struct Targets {
  Cohort members;
  Cohort holdout;
  size_t rows_per_person;
  PersonResamples member_resamples;
  PersonResamples holdout_resamples;
};

// Families are those among the targets themselves, members and hold-out apart.
Targets TargetsOf(const QualitySets& sets) {
  const auto some = [](const Cohort& cohort) { return cohort.Select(EvenlySpaced(cohort.samples(), kAttacked)); };
  const auto resamples = [&sets](const Cohort& cohort, uint32_t stream) {
    FamilySearch found;
    return PersonResamples(cohort.samples(), cohort.labels, FamilyClusters(cohort.genotypes, sets.variants, &found),
                           sets.seed, stream);
  };
  Cohort members = some(sets.members);
  Cohort holdout = some(sets.holdout);
  PersonResamples member_resamples = resamples(members, 0);
  PersonResamples holdout_resamples = resamples(holdout, 1);
  return {std::move(members), std::move(holdout), RowsPerSample(sets.packing()), std::move(member_resamples),
          std::move(holdout_resamples)};
}

// A statistic of members and hold-out people, who count so many times, with its interval.
Measurement Resampled(const Targets& targets,
                      absl::FunctionRef<double(std::span<const uint32_t>, std::span<const uint32_t>)> statistic) {
  std::vector<double> replicates(kReplicates);
  ParallelFor(kReplicates, [&](size_t i) {
    replicates[i] = statistic(targets.member_resamples.Replicate(i), targets.holdout_resamples.Replicate(i));
  });
  return WithReplicates(
      statistic(targets.member_resamples.All(), targets.holdout_resamples.All()), std::move(replicates),
      targets.members.samples(),
      "all hidden genotypes are the most frequent ones of their variants, or there is a single variant");
}

// An attack's name and its curve of each candidate.
struct Attack {
  absl::string_view name;
  std::vector<Roc> curves;
};

void AddRocChart(const Targets& targets, const std::vector<Attack>& attacks, v1::Quality* quality) {
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("roc.attacks");
  chart.set_title("Membership attacks");
  chart.set_kind(v1::CHART_KIND_LINE);
  chart.mutable_x()->set_title("share of people never seen who are accused");
  chart.mutable_y()->set_title("share of training people who are found");
  for (const Attack& attack : attacks) {
    const Roc& roc = attack.curves[static_cast<size_t>(Candidate::kSynthetic)];
    v1::Series& series = *chart.add_series();
    series.set_name(std::string(attack.name));
    series.set_role("synthetic");
    for (const RocPoint& point :
         Thinned(roc.Curve(targets.member_resamples.All(), targets.holdout_resamples.All()), kRocPoints)) {
      series.add_x(static_cast<float>(point.false_positive_rate));
      series.add_y(static_cast<float>(point.true_positive_rate));
    }
  }
  v1::Series& chance = *chart.add_series();
  chance.set_name("chance");
  for (const float end : {0.0F, 1.0F}) {
    chance.add_x(end);
    chance.add_y(end);
  }
  chart.set_note("A private cohort's curves follow the diagonal: the attacker does no better than by tossing a coin.");
}

// What membership attacks know of a cohort.
struct Known {
  std::vector<uint32_t> to_members;  // distance of each member's row to the nearest row
  std::vector<uint32_t> to_holdout;
  std::vector<double> frequencies;
};

// Every second sample, from the first or the second on.
GenotypeMatrix EverySecond(const GenotypeMatrix& genotypes, size_t first) {
  std::vector<size_t> picked;
  for (size_t i = first; i < genotypes.samples(); i += 2) picked.push_back(i);
  return genotypes.SelectSamples(picked);
}

void MeasureMembership(const QualitySets& sets, const Targets& targets, v1::Quality* quality) {
  const BitPlanes members = BitPlanes::OfRows(targets.members.genotypes);
  const BitPlanes holdout = BitPlanes::OfRows(targets.holdout.genotypes);
  const auto know = [&](const GenotypeMatrix& cohort) {
    const BitPlanes planes = BitPlanes::OfRows(cohort);
    return Known{ClosestDistances(members, planes), ClosestDistances(holdout, planes), AlleleFrequencies(cohort)};
  };
  // The cohort that an attack with a reference is made on, and its reference.
  const GenotypeMatrix& floor_genotypes = sets.candidate(Candidate::kFloor).genotypes;
  const bool has_reference = kReferenceShare * sets.reference.samples() >= sets.n();
  const Known floor = know(floor_genotypes);
  const Known others = has_reference ? know(sets.reference.genotypes) : floor;
  const Known floor_part = has_reference ? floor : know(EverySecond(floor_genotypes, 0));
  const Known floor_others = has_reference ? others : know(EverySecond(floor_genotypes, 1));

  std::vector<Attack> attacks = {{"distance", {}}, {"density ratio", {}}, {"homer", {}}};
  for (const Candidate candidate : kCandidates) {
    const bool is_floor = candidate == Candidate::kFloor;
    const Known cohort = is_floor ? floor_part : know(sets.candidate(candidate).genotypes);
    const Known& nearest = is_floor ? floor : cohort;
    const Known& reference = is_floor ? floor_others : others;
    const auto add = [&](Attack* attack, const std::vector<double>& of_members, const std::vector<double>& of_holdout) {
      attack->curves.emplace_back(of_members, of_holdout, targets.rows_per_person);
    };
    add(&attacks[0], DistanceScores(nearest.to_members), DistanceScores(nearest.to_holdout));
    add(&attacks[1], DensityRatioScores(cohort.to_members, reference.to_members),
        DensityRatioScores(cohort.to_holdout, reference.to_holdout));
    add(&attacks[2], FrequencyScores(targets.members.genotypes, cohort.frequencies, reference.frequencies),
        FrequencyScores(targets.holdout.genotypes, cohort.frequencies, reference.frequencies));
  }
  const auto add = [&](absl::string_view name, double RocFigures::*figure) {
    for (const Attack& attack : attacks) {
      const Measurements measurements = ForEachCandidate([&](Candidate candidate) {
        const Roc& roc = attack.curves[static_cast<size_t>(candidate)];
        return Resampled(targets, [&](std::span<const uint32_t> member_times, std::span<const uint32_t> holdout_times) {
          return roc.Figures(member_times, holdout_times).*figure;
        });
      });
      AddFigure(name, attack.name, measurements, quality);
    }
  };
  add("mia.auc", &RocFigures::auc);
  add("mia.tpr_at_1_fpr", &RocFigures::tpr_at_1_fpr);
  add("mia.advantage", &RocFigures::advantage);
  AddRocChart(targets, attacks, quality);
}

void MeasureAttributes(const QualitySets& sets, const Targets& targets, v1::Quality* quality) {
  const AttributeAttack attack(HiddenVariants(sets.variants.size(), sets.seed),
                               MostFrequentCodes(sets.candidate(Candidate::kFloor).genotypes));
  std::array<std::vector<Guesses>, 3> members;
  std::array<std::vector<Guesses>, 3> holdout;
  for (const Candidate candidate : kCandidates) {
    const auto own = static_cast<size_t>(candidate);
    members[own] = attack.Attack(targets.members.genotypes, sets.candidate(candidate).genotypes);
    holdout[own] = attack.Attack(targets.holdout.genotypes, sets.candidate(candidate).genotypes);
  }
  const auto add = [&](absl::string_view name, double of_members, double of_holdout) {
    const Measurements measurements = ForEachCandidate([&](Candidate candidate) {
      const auto own = static_cast<size_t>(candidate);
      return Resampled(targets, [&](std::span<const uint32_t> member_times, std::span<const uint32_t> holdout_times) {
        double sum = 0;
        if (of_members != 0) sum += of_members * BalancedAccuracy(members[own], targets.rows_per_person, member_times);
        if (of_holdout != 0) sum += of_holdout * BalancedAccuracy(holdout[own], targets.rows_per_person, holdout_times);
        return sum;
      });
    });
    AddFigure(name, "", measurements, quality);
  };
  add("attribute.accuracy_members", 1, 0);
  add("attribute.accuracy_holdout", 0, 1);
  add("attribute.advantage", 1, -1);
}

}  // namespace

void MeasureMembershipAttacks(const QualitySets& sets, v1::Quality* quality) {
  MeasureMembership(sets, TargetsOf(sets), quality);
}

void MeasureAttacks(const QualitySets& sets, v1::Quality* quality) {
  const Targets targets = TargetsOf(sets);
  MeasureKinship(sets, quality);
  MeasureMembership(sets, targets, quality);
  MeasureAttributes(sets, targets, quality);
}

}  // namespace genoserve
