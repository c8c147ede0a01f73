#pragma once
#include "core/analysis/head_circuits.h"

namespace vitrine::analysis {

/// Spectra of what every head moves (OV) and of what it looks for (QK).
class OvQk : public CircuitWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    bool visit(int layer, const std::vector<HeadCircuit>& heads) override;
    sdk::Reply finish() override;

private:
    struct Circuit {
        sdk::ResultData singular, norm, rank, sign;
    };
    static Circuit circuit(const std::string& name, const sdk::ModelFacts& model);
    static void measure(Circuit& out, int layer, int head, const Dense& in, const Dense& back);

    Circuit ov_, qk_;
};

} // namespace vitrine::analysis
