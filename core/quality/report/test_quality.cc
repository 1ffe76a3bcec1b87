#include "core/quality/report/test_quality.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

std::vector<std::string> Labels() {
  std::vector<std::string> labels = {"ACB", "ASW", "BEB", "CDX", "CEU", "CHB", "CHS", "CLM", "ESN",
                                     "FIN", "GBR", "GIH", "GWD", "IBS", "ITU", "JPT", "KHV", "LWK",
                                     "MSL", "MXL", "PEL", "PJL", "PUR", "STU", "TSI"};
  labels.emplace_back(kHostileLabel);
  return labels;
}

double Uniform(TestRandom& random) { return static_cast<double>(random.Below(1U << 20)) / (1U << 20); }

double Normal(TestRandom& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += Uniform(random);
  return sum;
}

struct Middle {
  double value;
  double half_width;
};

void Set(const Middle& middle, v1::Reference* reference) {
  reference->set_value(middle.value);
  reference->set_low(middle.value - middle.half_width);
  reference->set_high(middle.value + middle.half_width);
}

v1::Figure* AddFigure(const std::string& name, const std::string& label, int64_t n, Middle value, Middle floor,
                      Middle naive, v1::Quality* quality) {
  v1::Figure* figure = quality->add_figures();
  figure->set_name(name);
  figure->set_label(label);
  figure->set_n(n);
  figure->set_value(value.value);
  figure->set_low(value.value - value.half_width);
  figure->set_high(value.value + value.half_width);
  Set(floor, figure->mutable_floor());
  Set(naive, figure->mutable_naive());
  return figure;
}

void AddMissing(const std::string& name, const std::string& label, const std::string& reason, v1::Quality* quality) {
  v1::Figure* figure = quality->add_figures();
  figure->set_name(name);
  figure->set_label(label);
  figure->set_reason(reason);
}

void AddFigures(v1::Quality* quality) {
  TestRandom random(5);
  AddFigure("af.pearson", "", 10346, {0.9871, 0.0006}, {0.9932, 0.0004}, {0.9918, 0.0004}, quality);
  AddFigure("af.rmse", "", 10346, {0.0211, 0.0004}, {0.0157, 0.0003}, {0.0172, 0.0003}, quality);
  AddFigure("af.max_difference", "", 10346, {0.142, 0.021}, {0.071, 0.008}, {0.074, 0.009}, quality);
  for (const std::string& label : Labels()) {
    const double off = 0.02 * Uniform(random);
    AddFigure("af.pearson", label, 10346, {0.975 - off, 0.002}, {0.978, 0.002}, {0.977, 0.002}, quality);
    AddFigure("af.rmse", label, 10346, {0.04 + off, 0.001}, {0.041, 0.001}, {0.042, 0.001}, quality);
    AddFigure("af.max_difference", label, 10346, {0.2 + off, 0.03}, {0.21, 0.03}, {0.22, 0.03}, quality);
  }
  AddFigure("rare.retention", "", 1432, {0.811, 0.017}, {0.846, 0.016}, {0.851, 0.015}, quality);
  AddFigure("het.observed_ratio", "", 1250, {0.992, 0.006}, {1.001, 0.005}, {1.068, 0.005}, quality);
  AddFigure("fst.hudson", "", 10346, {0.0031, 0.0004}, {0.0001, 0.0002}, {0.0012, 0.0002}, quality);
  AddMissing("rare.doubleton_retention", "", "The hold-out has no allele that exactly two copies have.", quality);

  AddFigure("ld.r2_rmse", "", 400000, {0.0297, 0.0021}, {0.0233, 0.0018}, {0.1239, 0.006}, quality);
  AddFigure("ld.decay_rmse", "", 21, {0.0271, 0.0032}, {0.0005, 0.0002}, {0.0537, 0.004}, quality);

  AddFigure("pca.w1", "", 1250, {0.361, 0.04}, {0.039, 0.006}, {0.471, 0.031}, quality);
  AddFigure("cover.precision", "", 1250, {0.941, 0.013}, {0.948, 0.012}, {0.021, 0.008}, quality);
  AddFigure("cover.recall", "", 1250, {0.675, 0.027}, {0.763, 0.024}, {0.002, 0.002}, quality);

  AddFigure("privacy.loss", "", 1250, {0.021, 0.014}, {-0.004, 0.015}, {0.007, 0.013}, quality)->set_maximum(0.03);
  AddFigure("privacy.identical_excess", "", 2500, {0, 0}, {0, 0}, {0, 0}, quality)->set_maximum(0.005);
  AddFigure("mia.auc", "distance", 1562500, {0.623, 0.017}, {0.498, 0.016}, {0.504, 0.016}, quality)->set_maximum(0.55);
  AddFigure("mia.auc", "density ratio", 1562500, {0.529, 0.016}, {0.501, 0.016}, {0.506, 0.016}, quality)
      ->set_maximum(0.55);
  AddFigure("mia.auc", "homer", 1562500, {0.503, 0.016}, {0.499, 0.016}, {0.511, 0.016}, quality)->set_maximum(0.55);
  AddFigure("privacy.aa", "", 1250, {0.612, 0.014}, {0.498, 0.015}, {0.511, 0.014}, quality);
  AddFigure("kinship.duplicates", "", 1250, {0.00002, 0.00001}, {0.00001, 0.00001}, {0, 0}, quality);
  AddMissing("attribute.advantage", "",
             "there are 12 people with a hidden genotype on each side, and at least 20 are needed", quality);

  AddFigure("use.label_accuracy", "logistic", 1250, {0.972, 0.009}, {0.988, 0.006}, {0.983, 0.007}, quality);
  AddMissing("gwas.beta_r", "height", "The phenotype is constant in the hold-out.", quality);
  v1::Figure* odd = quality->add_figures();
  odd->set_name("a.figure.of.tomorrow");
  odd->set_value(std::numeric_limits<double>::quiet_NaN());
}

v1::Chart* AddChart(const std::string& name, const std::string& title, v1::ChartKind kind, const std::string& x,
                    const std::string& y, const std::string& note, v1::Quality* quality) {
  v1::Chart* chart = quality->add_charts();
  chart->set_name(name);
  chart->set_title(title);
  chart->set_kind(kind);
  chart->mutable_x()->set_title(x);
  chart->mutable_y()->set_title(y);
  chart->set_note(note);
  return chart;
}

v1::Series* AddSeries(const std::string& name, const std::string& role, const std::string& label, v1::Chart* chart) {
  v1::Series* series = chart->add_series();
  series->set_name(name);
  series->set_role(role);
  series->set_label(label);
  return series;
}

void AddPoint(double x, double y, v1::Series* series) {
  series->add_x(static_cast<float>(x));
  series->add_y(static_cast<float>(y));
}

void AddLine(double x1, double y1, double x2, double y2, v1::Chart* chart) {
  v1::Series* line = AddSeries("Equal", "", "", chart);
  AddPoint(x1, y1, line);
  AddPoint(x2, y2, line);
}

struct Role {
  const char* name;
  const char* role;
};
constexpr Role kRoles[] = {
    {"Hold-out", "holdout"}, {"Synthetic", "synthetic"}, {"Training", "training"}, {"Naive draws", "naive"}};

void AddPointCharts(v1::Quality* quality) {
  TestRandom random(7);
  v1::Chart* af =
      AddChart("af.scatter", "Allele frequencies", v1::CHART_KIND_SCATTER, "ALT frequency in real people",
               "ALT frequency in synthetic people",
               "Each point is a variant; on the line, synthetic people have it as often as real ones.", quality);
  v1::Series* variants = AddSeries("Variants", "synthetic", "", af);
  for (int i = 0; i < 2000; ++i) {
    const double p = std::pow(Uniform(random), 2);
    AddPoint(p, std::clamp(p + 0.02 * Normal(random), 0.0, 1.0), variants);
  }
  AddLine(0, 0, 1, 1, af);

  v1::Chart* pca =
      AddChart("pca.scatter", "Principal components", v1::CHART_KIND_SCATTER, "PC 1", "PC 2",
               "Each point is a person. Rings are real, diamonds synthetic; they should cover each other.", quality);
  for (const Role& role : {kRoles[0], kRoles[1]}) {
    int at = 0;
    for (const std::string& label : Labels()) {
      v1::Series* series = AddSeries(role.name, role.role, label, pca);
      const double angle = 2.4 * at++;
      for (int i = 0; i < 45; ++i) {
        AddPoint(12 * std::cos(angle) + 0.3 * at + Normal(random), 9 * std::sin(angle) + Normal(random), series);
      }
    }
  }

  v1::Chart* manhattan = AddChart("gwas.manhattan", "Association", v1::CHART_KIND_MANHATTAN, "Position", "−log10 p",
                                  "Peaks should stand at the same places.", quality);
  manhattan->set_label("height");
  for (const Role& role : {kRoles[0], kRoles[1]}) {
    v1::Series* series = AddSeries(role.name, role.role, "", manhattan);
    for (int i = 0; i < 2200; ++i) {
      const double peak = 9 * std::exp(-std::pow((i - 900) / 12.0, 2)) + 6 * std::exp(-std::pow((i - 1500) / 9.0, 2));
      AddPoint(1.25e6 * i, -std::log10(Uniform(random) + 1e-6) + peak * Uniform(random), series);
    }
  }
  AddLine(0, 7.3, 2.75e9, 7.3, manhattan);
  manhattan->mutable_series(2)->set_name("5e-8");
  for (int contig = 0; contig < 22; ++contig) {
    v1::Tick* tick = manhattan->mutable_x()->add_ticks();
    tick->set_at(1.25e8 * contig + 6e7);
    tick->set_name(absl::StrCat(contig + 1));
  }
}

void AddLineCharts(v1::Quality* quality) {
  v1::Chart* decay =
      AddChart("ld.decay", "Linkage by distance", v1::CHART_KIND_LINE, "Distance (bp)", "Mean r²",
               "The synthetic line should lie on that of the hold-out; independent draws stay flat.", quality);
  decay->mutable_x()->set_logarithmic(true);
  const double strength[] = {0.6, 0.45, 0.61, 0};
  for (int r = 0; r < 4; ++r) {
    v1::Series* line = AddSeries(kRoles[r].name, kRoles[r].role, "", decay);
    for (int bin = 0; bin < 21; ++bin) {
      const double distance = 100 * std::pow(1.6, bin);
      AddPoint(distance, 0.012 + strength[r] / (1 + distance / 8000), line);
    }
  }

  v1::Chart* roc = AddChart("roc.attacks", "Membership attacks", v1::CHART_KIND_LINE, "False alarms", "Members found",
                            "On the straight line an attack is a coin toss.", quality);
  int at = 0;
  for (const char* attack : {"distance", "density ratio", "homer"}) {
    v1::Series* line = AddSeries(attack, "synthetic", "", roc);
    const double power = 0.55 + 0.2 * at++;
    for (int i = 0; i <= 100; ++i) AddPoint(i / 100.0, std::pow(i / 100.0, power), line);
  }
  AddLine(0, 0, 1, 1, roc);

  v1::Chart* distances =
      AddChart("distance.closest", "Distance to the nearest training person", v1::CHART_KIND_BAR,
               "share of differing variants", "share of people", "A bump at the left end would be copies.", quality);
  TestRandom random(9);
  for (int r = 0; r < 2; ++r) {
    v1::Series* bars = AddSeries(kRoles[r].name, kRoles[r].role, "", distances);
    std::vector<int> counts(30);
    for (int i = 0; i < 1250; ++i) ++counts[std::clamp(static_cast<int>(15 - r + 4 * Normal(random)), 0, 29)];
    for (int bin = 0; bin < 30; ++bin) AddPoint(0.01 * bin, counts[bin] / 1250.0, bars);
  }

  v1::Chart* kinship = AddChart("kinship.classes", "Nearest relative among the training people", v1::CHART_KIND_BAR, "",
                                "share of people", "Real strangers have no near relatives.", quality);
  const char* classes[] = {"duplicate", "first degree", "second degree", "unrelated"};
  for (int r = 0; r < 4; ++r) {
    v1::Series* bars = AddSeries(kRoles[r].name, kRoles[r].role, "", kinship);
    const double share[] = {0.002 * r, 0.01 + 0.01 * r, 0.06, 0.92 - 0.012 * r};
    for (int i = 0; i < 4; ++i) AddPoint(i, share[i], bars);
  }
  for (int i = 0; i < 4; ++i) {
    v1::Tick* tick = kinship->mutable_x()->add_ticks();
    tick->set_at(i);
    tick->set_name(classes[i]);
  }
}

void AddMatrices(v1::Quality* quality) {
  v1::Chart* linkage = AddChart("ld.heatmap", "Linkage of one region", v1::CHART_KIND_HEATMAP, "Variant", "Variant",
                                "r² of each pair: hold-out above the diagonal, synthetic below.", quality);
  v1::Matrix* matrix = linkage->mutable_matrix();
  matrix->set_maximum(1);
  for (int i = 0; i < 100; ++i) {
    const std::string variant = absl::StrCat("15:", 27380000 + 2200 * i);
    matrix->add_rows(variant);
    matrix->add_columns(variant);
    for (int j = 0; j < 100; ++j) {
      const double block = i / 23 == j / 23 ? 0.8 : 0.15;
      const double r2 = block * std::exp(-std::abs(i - j) / (i < j ? 12.0 : 8.0));
      matrix->add_values(i == j ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(r2));
    }
  }

  v1::Chart of_label = *linkage;
  of_label.set_label(kHostileLabel);
  *quality->add_charts() = of_label;

  v1::Chart* fst = AddChart("fst.matrix", "Distances between populations (Fst)", v1::CHART_KIND_HEATMAP, "population",
                            "population", "Real people above the diagonal, synthetic ones below.", quality);
  matrix = fst->mutable_matrix();
  matrix->set_minimum(-0.002);
  matrix->set_maximum(0.16);
  const std::vector<std::string> labels = Labels();
  matrix->mutable_rows()->Assign(labels.begin(), labels.end());
  matrix->mutable_columns()->Assign(labels.begin(), labels.end());
  for (int i = 0; i < 26; ++i) {
    for (int j = 0; j < 26; ++j) {
      matrix->add_values(i == j ? std::numeric_limits<float>::quiet_NaN()
                                : static_cast<float>(0.002 + 0.15 * std::pow(std::sin(0.3 * (i - j)), 2)));
    }
  }
}

}  // namespace

v1::Quality TestQuality() {
  v1::Quality quality;
  quality.set_format_version(1);
  v1::QualityInputs& inputs = *quality.mutable_inputs();
  inputs.set_title("five-populations, version 2");
  inputs.set_variants(10346);
  inputs.set_phased(true);
  inputs.set_samples_compared(1250);
  inputs.set_label_column("pop");
  for (const std::string& label : Labels()) inputs.add_labels(label);
  inputs.add_phenotypes("height");
  inputs.set_seed(1);
  inputs.set_code_version("0.1.0");
  inputs.set_measured_at("2026-01-31T12:00:00Z");
  inputs.add_notes("Three labels have fewer than 100 people; their figures are mostly chance.");
  const struct {
    const char* role;
    const char* source;
    int64_t samples;
  } sets[] = {
      {"training", "train.vcf.gz", 4004}, {"holdout", "holdout.vcf.gz", 1250}, {"synthetic", "synth.bcf", 5000}};
  for (const auto& [role, source, samples] : sets) {
    v1::QualitySet& set = *inputs.add_sets();
    set.set_role(role);
    set.set_source(source);
    set.set_samples(samples);
    set.set_variants(10400);
    set.set_variants_left_out(54);
  }
  inputs.mutable_sets(2)->set_alleles_swapped(12);

  AddFigures(&quality);
  AddPointCharts(&quality);
  AddLineCharts(&quality);
  AddMatrices(&quality);

  v1::GateResult& gate = *quality.mutable_gate();
  gate.set_gate("default");
  gate.set_judged(11);
  v1::Breach& breach = *gate.add_breaches();
  breach.set_figure("mia.auc");
  breach.set_label("distance");
  breach.set_hard(true);
  breach.set_message("0.623 (0.606 to 0.640) is above 0.55: an attacker can tell who was in the training");
  v1::Breach& other = *gate.add_breaches();
  other.set_figure("pca.w1");
  other.set_message("0.361 is above 0.35: the population structure is another");
  return quality;
}

}  // namespace genoserve
