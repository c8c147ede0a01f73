#pragma once
// Which key heads need the whole text (retrieval) and which get by with sinks and a window (streaming).
#include <cstdint>
#include <string>
#include <vector>

#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// Numbers of a table of `lines` × `columns`, separated by spaces, tabs or commas; empty if it is not that.
std::vector<double> read_alphas(const std::string& text, int lines, int columns);

class StreamingHeads : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;
    sdk::Reply after(const sdk::Answer& answer) override;

private:
    // A cache that is tried on the rows; `policy` as an "attention".
    struct Trial {
        std::string name, policy;
        double loss = 0, correct = 0;
        int kept = 0; // key heads that keep all tokens
    };

    std::optional<sdk::Failure> make_rows(const sdk::Start& start);
    void measure(int layer, sdk::View pattern, sdk::View values, sdk::View w_o);
    void choose();
    std::string policy_without(const std::vector<bool>& kept) const;
    sdk::Need need() const;
    sdk::Done done() const;
    sdk::Json saving() const;

    int window_ = 0, sinks_ = 0, first_ = 0; // first_: the first query that is measured
    double streaming_share_ = 0;
    bool synthetic_ = false, imported_ = false;
    std::uint64_t seed_ = 0;
    sdk::ResultData gate_;               // layer × key head
    std::vector<double> error_, output_; // by layer and key head; by layer
    std::vector<bool> kept_;             // by layer and key head: a retrieval head
    std::vector<Trial> trials_;
    std::size_t next_ = 0;
    std::string note_;
};

} // namespace vitrine::analysis
