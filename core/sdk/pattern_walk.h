#pragma once
// Base of analyses that look at every attention pattern, or another hook of every layer: asks for them in
// portions that fit into memory.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/sdk/analysis.h"

namespace vitrine::sdk {

class PatternWalk : public Analysis {
public:
    Reply start(const Start& start) final {
        rows_ = start.rows;
        model_ = &start.model;
        if (auto failure = begin(start)) return *failure;
        if (auto failure = check_size()) return *failure;
        plan();
        return next_ < portions_.size() ? Reply(need()) : finish();
    }

    Reply step(const Answer& answer) final {
        if (next_ == portions_.size()) return after(answer);
        const Portion& portion = portions_[next_++];
        for (int r = 0; r < portion.rows; ++r)
            for (int l = 0; l < portion.layers; ++l) {
                const int layer = portion.first_layer + l;
                visit(portion.first_row + r, layer, answer.capture(0, r, visited_hook(layer)),
                      {answer, r, layer, pass_});
            }
        if (next_ == portions_.size() && pass_ + 1 < checkpoints_.size()) next_ = 0, ++pass_;
        return next_ < portions_.size() ? Reply(need()) : finish();
    }

protected:
    /// What was captured beside the pattern.
    struct Besides {
        const Answer& answer;
        int row_in_run;
        int layer;
        std::size_t pass; ///< which of use_checkpoints()

        /// A hook of also_capture(), of this row and layer.
        View capture(const std::string& name) const {
            return answer.capture(0, row_in_run, hook(layer, name));
        }
        /// Whether the model has that hook: one asked for by a glob may not be there.
        bool has(const std::string& name) const {
            return answer.has_capture(0, row_in_run, hook(layer, name));
        }
        /// A weight of also_need(), of this layer.
        View weight(const std::string& name) const { return answer.weight(hook(layer, name)); }
    };

    /// Checks and sizes. May choose rows and layers by use_rows and use_layers.
    virtual std::optional<Failure> begin(const Start& start) = 0;
    /// `pattern` is [head, query, key], or as use_hook() says. Rows come in order, layers in order within a
    /// row.
    virtual void visit(int row, int layer, View pattern, const Besides& besides) = 0;
    virtual Reply finish() = 0;
    /// What a row of `length` tokens brings of one layer.
    virtual std::int64_t layer_bytes(std::int64_t length) const {
        return 4 * model_->heads * length * length;
    }
    /// The answer to a need that finish() asked for.
    virtual Reply after(const Answer&) { return Failure{"internal", "The analysis asked for nothing."}; }

    void use_rows(std::vector<Row> rows) { rows_ = std::move(rows); }
    void use_layers(int first, int count) { first_layer_ = first, layers_ = count; }
    /// Walks once on each of these, in this order; by default once on the model itself.
    void use_checkpoints(std::vector<std::string> names) { checkpoints_ = std::move(names); }
    /// Runs give their loss too.
    void also_loss() { loss_ = true; }
    /// Another hook in place of "attn.hook_pattern": it is the one that visit() gets.
    void use_hook(std::string name) { name_ = std::move(name); }
    /// This head alone where the patterns of a whole layer would be too much: then one_head(), and what is
    /// visited is [1, query, key]. With use_hook() only of attn.hook_attn_scores.
    void use_head(int head) { head_ = head; }
    bool one_head() const { return one_head_; }
    /// Hooks (or globs) and weights of each layer, without its prefix: "attn.hook_v", "attn.W_O".
    void also_capture(std::string name) { captures_.push_back(std::move(name)); }
    void also_need(std::string name) { weights_.push_back(std::move(name)); }
    const std::vector<Row>& rows() const { return rows_; }
    const ModelFacts& model() const { return *model_; }

private:
    struct Portion {
        int first_row, rows, first_layer, layers;
    };
    // What one need may capture. Rows are taken together up to this; a row beyond it is run once for every
    // group of layers.
    static constexpr std::int64_t budget_bytes = std::int64_t{256} << 20;

    // What one layer of one row may take.
    static constexpr std::int64_t most_bytes = std::int64_t{1} << 30;

    std::int64_t bytes_at(std::int64_t length) const {
        return one_head_ ? layer_bytes(length) / model_->heads : layer_bytes(length);
    }

    std::optional<Failure> check_size() {
        std::int64_t longest = 0;
        for (const Row& row : rows_)
            longest = std::max<std::int64_t>(longest, row.size());
        one_head_ = head_ >= 0 && bytes_at(longest) > budget_bytes;
        if (bytes_at(longest) <= most_bytes) return std::nullopt;
        std::int64_t fits = longest;
        while (bytes_at(fits) > most_bytes)
            fits -= std::max<std::int64_t>(1, fits / 100);
        return Failure{"too-large", "What this analysis reads of one layer takes " +
                                        std::to_string(bytes_at(longest) >> 20) + " MiB at " +
                                        std::to_string(longest) + " tokens: shorten the prompt to " +
                                        std::to_string(fits) + " tokens."};
    }

    std::string visited_hook(int layer) const {
        return hook(layer, name_) + (one_head_ ? "@" + std::to_string(head_) : "");
    }

    static std::string hook(int layer, const std::string& name) {
        return "blocks." + std::to_string(layer) + "." + name;
    }

    void plan() {
        const int layers = layers_ < 0 ? model_->layers : layers_;
        std::int64_t used = 0;
        bool open = false; // whether the last portion takes further rows
        for (int row = 0; row < static_cast<int>(rows_.size()); ++row) {
            const std::int64_t bytes = bytes_at(rows_[static_cast<std::size_t>(row)].size());
            if (bytes * layers > budget_bytes) {
                const int group = static_cast<int>(std::max<std::int64_t>(1, budget_bytes / bytes));
                for (int l = 0; l < layers; l += group)
                    portions_.push_back({row, 1, first_layer_ + l, std::min(group, layers - l)});
                open = false;
                continue;
            }
            if (open && used + bytes * layers <= budget_bytes) {
                ++portions_.back().rows;
            } else {
                portions_.push_back({row, 1, first_layer_, layers});
                used = 0;
            }
            used += bytes * layers;
            open = true;
        }
    }

    Need need() const {
        const Portion& portion = portions_[next_];
        Run run;
        run.rows.assign(rows_.begin() + portion.first_row, rows_.begin() + portion.first_row + portion.rows);
        Need need;
        for (int l = 0; l < portion.layers; ++l) {
            run.captures.push_back(visited_hook(portion.first_layer + l));
            for (const std::string& name : captures_)
                run.captures.push_back(hook(portion.first_layer + l, name));
            for (const std::string& name : weights_)
                need.weights.push_back(hook(portion.first_layer + l, name));
        }
        run.loss = loss_;
        need.runs.push_back(std::move(run));
        const auto passes = static_cast<double>(std::max<std::size_t>(1, checkpoints_.size()));
        need.progress = (static_cast<double>(pass_) +
                         static_cast<double>(next_) / static_cast<double>(portions_.size())) /
                        passes;
        if (!checkpoints_.empty()) need.checkpoint = checkpoints_[pass_];
        return need;
    }

    std::vector<Row> rows_;
    const ModelFacts* model_ = nullptr;
    std::string name_ = "attn.hook_pattern";
    int head_ = -1; // −1: all
    bool one_head_ = false;
    std::vector<std::string> captures_, weights_;
    std::vector<std::string> checkpoints_;
    bool loss_ = false;
    int first_layer_ = 0;
    int layers_ = -1; // −1: all
    std::vector<Portion> portions_;
    std::size_t next_ = 0, pass_ = 0;
};

} // namespace vitrine::sdk
