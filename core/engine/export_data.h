#pragma once
// The numbers behind an analysis as files that other programs read.
#include <filesystem>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/engine/results.h"

namespace vitrine::engine {

/// What an exported file says about where its numbers come from.
struct DataSource {
    std::string analysis;
    Json parameters;
    Json provenance;
};

/// So many numbers at most are written as text (CSV, JSON); more only as .npz and .h5.
constexpr std::size_t most_in_text = std::size_t{1} << 23;

/// Whether export_data() writes files of that suffix; usage names those it does.
Status check_data_suffix(const std::filesystem::path& file);

/// Writes results; the suffix decides the form, and the file appears whole or not at all.
/// .npz: a float64 array a result, or a column of numbers of a table ("top.prob"); what no array can hold is
/// in
///   `document`, a JSON text as bytes (uint8), beside parameters and provenance.
/// .npy: the first result that is an array, float32, alone: what an edit reads.
/// .csv: one line a number with the columns `result`, one an axis (its label, else the index), `value`; lines
/// of
///   tables have their own columns.
/// .h5: /results/NAME with the attribute `axes`; /document as in .npz.
/// Errors: usage (another suffix), too_large (more than most_in_text as .csv), io.
Status export_data(const std::filesystem::path& file, const DataSource& source,
                   const std::vector<ResultValue>& results);

} // namespace vitrine::engine
