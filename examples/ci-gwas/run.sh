#!/usr/bin/env bash
# What a CI job does to test a GWAS pipeline: fetches a fixture whose causal variants are known, runs the pipeline, here
# plink2 --glm, and compares. The exit code is 0 where the pipeline found what is true.
#
# Usage: run.sh MODEL FOLDER, with the server in GENOSERVE_SERVER. The same model version and seed give the same bytes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
model=$1
mkdir -p "$2"
cd "$2"

genoserve fetch "$model" -n 4000 --seed 7 --preset gwas-ci -o gwas --quiet
genoserve verify gwas

# The pipeline under test.
gwas() {
  plink2 --pfile gwas --pheno gwas.pheno.tsv --pheno-name sim_trait,sim_case --covar gwas.covar.tsv --glm hide-covar \
    --silent "$@"
}
gwas --out gwas
# Once more, given the causal variants: what is left to find is wrong.
tail -n +2 gwas.truth.tsv | cut -f 3 >causal.txt
gwas --condition-list causal.txt --out conditioned

"$here/compare.py" gwas.truth.tsv gwas.sim_trait.glm.linear conditioned.sim_trait.glm.linear
"$here/compare.py" gwas.truth.tsv gwas.sim_case.glm.logistic.hybrid conditioned.sim_case.glm.logistic.hybrid
