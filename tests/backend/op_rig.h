#pragma once
// A small plan around the op under test: constants go in, ops run on a device by name, captures come out.
#include <memory>
#include <string>
#include <vector>

#include <QtTest>

#include "core/backend/backend.h"
#include "tests/backend/nmse.h"

namespace vitrine::test {

/// Every device of this machine, by the name that open_backend takes; the CPU first.
std::vector<std::string> devices();

/// For a test's _data function: one row a device, in the column `device`.
void add_devices();

class OpRig {
public:
    /// Rows of `queries[r]` tokens behind `past[r]` tokens that a cache holds (none if past is empty).
    explicit OpRig(const std::vector<int>& queries, const std::vector<int>& past = {});

    run::Plan plan;
    model::Model model;

    int tokens() const { return plan.batch.size(); }

    /// A value without contents, for an op to write. count −1: one for each token.
    run::ValueId value(int heads, int width, std::int64_t count = -1);
    run::ValueId pairs(int heads);
    /// A value that holds these numbers.
    run::ValueId input(int heads, int width, const std::vector<float>& numbers);
    run::ValueId input_pairs(int heads, const std::vector<float>& numbers);
    run::ConstantId constant(Shape shape, const std::vector<float>& numbers);

    /// A stored matrix [rows, cols] from row-major numbers, kept transposed if asked for; rows = 1: a vector.
    model::WeightId weight(const std::string& name, int rows, int cols, const std::vector<float>& numbers,
                           bool transposed = false);

    void op(run::Op op) { plan.ops.push_back(std::move(op)); }
    /// Returns the slot.
    int capture(run::ValueId value);

    /// Loads the model; the rig must outlive the result. Fails the test if there is none.
    std::unique_ptr<backend::LoadedModel> load(const QString& device) const;
    /// Loads and runs the plan. Fails the test (and returns nothing) if that fails.
    backend::Outputs run(const QString& device, backend::KvCache* cache = nullptr) const;

private:
    std::shared_ptr<std::vector<std::vector<float>>> storage_;
};

/// NMSE within the budget of exact mode, else a message with the name of what was compared.
bool close(std::span<const float> got, std::span<const double> want, const char* what);

std::vector<double> doubles(const std::vector<float>& numbers);

} // namespace vitrine::test
