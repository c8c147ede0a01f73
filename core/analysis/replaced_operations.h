#pragma once
// What an operation of the model is worth: another stands in its place, in each layer alone and in all.
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class ReplacedOperations : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    static constexpr std::size_t all_layers = static_cast<std::size_t>(-1);
    /// One changed row: the operation replaced in a layer or in all, or the control's vector added there.
    struct Item {
        std::size_t place = 0; ///< of layers_, or all_layers
        int draw = -1;         ///< of the control; −1: the replaced operation itself
    };
    /// Changed − clean, means over the tokens of a prompt; the cosine is that of the two.
    struct Effect {
        double entropy = 0, loss = 0, kl = 0, cosine = 0;
    };

    std::optional<sdk::Failure> choose();
    std::string written(std::size_t place) const;
    std::vector<std::string> edits(const Item& item, std::size_t row) const;
    bool measures_controls() const { return !items_.empty() && items_.front().draw >= 0; }
    void begin_changes();
    void begin_controls();
    std::size_t end() const;
    sdk::Reply next();
    Effect measure(const sdk::Answer& answer, int row) const;
    void keep_change(const sdk::Answer& answer, int row, std::size_t place);
    sdk::ResultData curve(const std::string& name, const std::vector<Effect>& of,
                          double Effect::*field) const;
    sdk::Done done() const;

    const sdk::Start* start_ = nullptr;
    std::string operation_;
    bool special_stays_out_ = false;
    int draws_ = 0;
    std::vector<int> layers_;
    std::vector<sdk::Row> prompts_;
    std::mt19937_64 random_;
    std::size_t prompt_ = 0, begin_ = 0; // next prompt, next item of it
    std::vector<Item> items_;
    std::vector<sdk::ArrayData> changes_; // of what the sublayer writes, by place
    sdk::NamedArrays arrays_;
    // Sums over prompts, by place.
    std::vector<Effect> effects_, controls_;
    Effect together_, clean_; // of clean: entropy and loss themselves
};

} // namespace vitrine::analysis
