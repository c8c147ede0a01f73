#pragma once
// What a reference library computed for a fixture, and how near a result is.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <QtTest>
#include <fmt/format.h>

#include "core/formats/npz.h"
#include "core/run/runner.h"

namespace vitrine::test {

/// An .npz of references.
class Reference {
public:
    explicit Reference(const std::string& file) {
        auto arrays = formats::read_npz(file);
        if (!arrays) qFatal("%s", arrays.error().message.c_str());
        arrays_ = std::move(*arrays);
    }
    bool has(const std::string& name) const { return arrays_.contains(name); }
    Tensor tensor(const std::string& name) const {
        if (!has(name)) qFatal("no reference %s", name.c_str());
        return arrays_.at(name).to_float();
    }
    std::vector<std::int32_t> ids(const std::string& name) const {
        const Tensor values = tensor(name);
        return {values.data.begin(), values.data.end()};
    }
    /// The rows as a batch.
    std::vector<run::RunRow> rows() const {
        std::vector<run::RunRow> rows;
        while (has(fmt::format("row{}.ids", rows.size())))
            rows.push_back({ids(fmt::format("row{}.ids", rows.size())), {}});
        return rows;
    }

private:
    std::map<std::string, formats::NpyArray> arrays_;
};

/// Largest difference over what the exact band of DESIGN.md allows; NaN if any value is none.
inline double share_of_band(const Tensor& ours, const Tensor& theirs) {
    if (ours.shape != theirs.shape) return std::numeric_limits<double>::infinity();
    double largest = 1, gap = 0;
    for (std::size_t i = 0; i < theirs.data.size(); ++i) {
        const double here = std::abs(double{ours.data[i]} - double{theirs.data[i]});
        if (std::isnan(here)) return here;
        gap = std::max(gap, here);
        largest = std::max(largest, std::abs(double{theirs.data[i]}));
    }
    return gap / (5e-5 * largest);
}

inline Tensor hook(const run::RowResult& row, const std::string& name) {
    const auto* captured = row.find(name);
    if (captured == nullptr) qFatal("%s was not captured", name.c_str());
    return captured->tensor;
}

} // namespace vitrine::test
