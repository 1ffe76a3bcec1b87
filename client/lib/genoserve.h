// All that a program needs to fetch cohorts, for projects that use the installed library: find_package(genoserve) and
// #include <genoserve/client.h>. docs/cpp.md begins with an example.
#pragma once

#include "client/lib/client.h"
#include "client/lib/client_options.h"
#include "client/lib/cohort_reader.h"
#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"
