#pragma once
// The messages that an analysis sends (abi.h), as C++.
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/sdk/manifest.h"

namespace vitrine::sdk {

/// One row of tokens. `tokens` are the texts of `ids`; they may be left out in a need. What its file says of
/// it wins over parameters of the same name; a need does not carry it.
struct Row {
    std::vector<std::int32_t> ids;
    std::vector<std::string> tokens;
    std::vector<bool> special;
    /// Ids whose probabilities add and whose logits average; empty: not given.
    std::vector<std::int32_t> answer = {}, distractor = {};
    std::optional<int> position = {}; ///< where a metric is read; negative from the end
    /// "clean" or "corrupted" where a line made a pair of rows, which follow each other; else empty.
    std::string role = {};

    int size() const { return static_cast<int>(ids.size()); }
};

/// Numbers that go to the program, row-major.
struct ArrayData {
    std::vector<std::int64_t> shape;
    std::vector<float> data;
};

/// By name: what an edit reads that says `@NAME` where the command line names a file. Shared, so that the
/// needs of a long sweep send the same ones.
using NamedArrays = std::map<std::string, std::shared_ptr<const ArrayData>>;

/// A run that the analysis asks for. Edits as the command line writes them.
struct Run {
    std::vector<Row> rows;
    std::vector<std::string> captures;
    std::vector<std::string> edits;
    NamedArrays arrays;
    std::string attention;   ///< "window=64 sinks=4 reindexed heads=L0H1,L2H3"; empty: all keys
    Json positions = "last"; ///< "last", "all" or a list
    int top = 0;
    bool loss = false;
    bool logits = false;
    std::vector<std::int32_t> watch = {}; ///< tokens whose logits alone are wanted at the positions
};

struct Generation {
    std::vector<Row> rows;
    std::vector<std::string> captures;
    std::vector<std::string> edits;
    NamedArrays arrays;
    std::string attention;
    int max_new = 1;
    double temperature = 0; ///< 0: greedy
    int top_k = 0;          ///< 0: no limit
    double top_p = 1;
    std::uint64_t seed = 0;
    bool stop = true; ///< end at an end-of-sequence token
    /// Steps and the tokens taken there in place of what would be drawn.
    std::vector<std::pair<int, std::int32_t>> forced;
    int top = 0; ///< most likely tokens told of each step
};

/// What has to be there before the next step.
struct Need {
    std::vector<Run> runs;
    std::vector<Generation> generations;
    std::vector<std::string> weights;
    bool transient = false; ///< these weights are only read in the next step, and are gone after it
    std::string checkpoint; ///< on which runs and generations are made; empty: on the model itself
    double progress = 0;    ///< share done so far
};

struct Axis {
    std::string name;
    std::int64_t size = 0;
    std::vector<std::string> labels = {}; ///< empty, or one for each index
    bool ragged = false;                  ///< ends early in shorter rows
};

/// A typed result; arrays start as NaN, which is shown as "no value".
struct ResultData {
    std::string name, kind;
    std::vector<Axis> axes;
    std::vector<double> data; ///< row-major over axes
    Json value;               ///< of kinds without an array
    bool whole = false;       ///< ids or counts: written without a fraction
    std::vector<int> lengths; ///< of each row along its ragged axes, where there are some

    static ResultData array(std::string name, std::string kind, std::vector<Axis> axes) {
        std::size_t count = 1;
        for (const Axis& axis : axes)
            count *= static_cast<std::size_t>(axis.size);
        ResultData result = of(std::move(name), std::move(kind));
        result.axes = std::move(axes);
        result.data.assign(count, std::nan(""));
        return result;
    }
    static ResultData number(std::string name, double value) {
        ResultData result = of(std::move(name), "number");
        result.data = {value};
        return result;
    }
    static ResultData text(std::string name, const std::string& value) {
        ResultData result = of(std::move(name), "text");
        result.value = value;
        return result;
    }
    static ResultData table(std::string name, Json rows) {
        ResultData result = of(std::move(name), "table");
        result.value = std::move(rows);
        return result;
    }

    template <typename... Index>
    double& operator()(Index... index) {
        std::int64_t offset = 0;
        std::size_t axis = 0;
        ((offset = offset * axes[axis++].size + static_cast<std::int64_t>(index)), ...);
        return data[static_cast<std::size_t>(offset)];
    }

private:
    static ResultData of(std::string name, std::string kind) {
        ResultData result;
        result.name = std::move(name);
        result.kind = std::move(kind);
        return result;
    }
};

struct Done {
    std::vector<ResultData> results;
};

/// One sentence: what cannot be computed, and what to do. `code` as the command line writes it.
struct Failure {
    std::string code;
    std::string message;
};

using Reply = std::variant<Need, Done, Failure>;

} // namespace vitrine::sdk
