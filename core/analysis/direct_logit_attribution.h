#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/logit_direction.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// What embedding, heads, MLPs and biases add to a logit, or to the difference of two, with every norm on
/// the way held at its scale: then the parts sum to the logit.
class DirectLogitAttribution : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    enum class Split { component, head, neuron };

    /// One position of one row: what was captured there, and what it adds up to.
    struct Place {
        int row = 0, index = 0, position = 0; ///< `index`: among the row's positions
        std::vector<int> plus, minus;
        double logit = 0;      ///< as the model gives it
        double before_cap = 0; ///< the same where the model has no soft-cap
        std::map<std::string, std::vector<float>> seen;
        Direction direction; ///< of the residual stream between the parts already read and those before
        double bias = 0;
        std::vector<double> parts; ///< by label
        sdk::Json neurons = sdk::Json::array();
    };

    std::optional<sdk::Failure> read_positions();
    void name_parts();
    sdk::Reply next_rows();
    Place place_of(const sdk::Answer& answer, int row_in_run, int row, int index) const;
    sdk::Reply next_layer();
    bool needs_weights() const;
    void read_layer(const sdk::Answer& answer, Place& place) const;
    void read_heads(const sdk::Answer& answer, Place& place) const;
    void read_neurons(const sdk::Answer& answer, Place& place) const;
    Direction behind_branch(const sdk::Answer& answer, const Place& place, const char* norm) const;
    std::size_t part_of_layer(int layer) const;
    std::string block() const { return "blocks." + std::to_string(layer_) + "."; }
    bool centred() const { return start_->model.norm == "layer"; }
    bool norms_branches() const;
    bool norms_sums() const { return start_->model.norm_place == "after_sum"; }
    sdk::Reply finish();
    std::string conditions() const;

    const sdk::Start* start_ = nullptr;
    Split split_ = Split::component;
    int top_ = 0;
    std::vector<std::vector<int>> positions_; // by row
    std::int64_t most_positions_ = 0;
    std::vector<std::string> labels_;
    std::size_t first_part_ = 0; // of layer 0
    std::optional<Unembedded> unembedded_;
    std::vector<Place> places_;
    int next_row_ = 0, rows_in_need_ = 0;
    int layer_ = -1; // whose weights were asked for; −1 while rows are read
};

} // namespace vitrine::analysis
