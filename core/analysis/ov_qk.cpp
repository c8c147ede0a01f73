#include "core/analysis/ov_qk.h"

#include <cmath>

#include "core/analysis/axes.h"
#include "core/analysis/weights_spectra.h"

namespace vitrine::analysis {

sdk::Manifest OvQk::manifest() {
    sdk::Manifest manifest("ov-qk", "OV and QK circuits");
    CircuitWalk::add_parameters(
        manifest
            .summary("Every head as two matrices d_model × d_model of rank d_head: OV = W_V W_O, what it "
                     "moves, and "
                     "QK = scale · W_Q W_Kᵀ, what it looks for. Their singular values; their Frobenius "
                     "norms; their "
                     "effective rank, e to the entropy of σ / Σσ; and Re Σλ / Σ|λ| of their eigenvalues: "
                     "near 1 for "
                     "an OV that copies directions as they are, near −1 for one that turns them round, for "
                     "QK near "
                     "1 where tokens look for their like. All through products of d_head × d_head.")
            .citation(
                "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits; Roy and Vetterli "
                "2007, The effective rank"));
    for (const char* name : {"ov", "qk"}) {
        const std::string prefix = name;
        manifest.result(prefix + "_sign", "matrix", "layer × head; Re Σλ / Σ|λ|")
            .result(prefix + "_norm", "matrix", "layer × head; Frobenius norm")
            .result(prefix + "_rank", "matrix", "layer × head; effective rank, at most d_head")
            .result(prefix + "_singular_values", "matrix", "layer × head × index, largest first");
    }
    return manifest.result("conditions", "text", "coordinates, rotation, and what is left out");
}

OvQk::Circuit OvQk::circuit(const std::string& name, const sdk::ModelFacts& model) {
    return {sdk::ResultData::array(name + "_singular_values", "matrix",
                                   {{"layer", model.layers}, {"head", model.heads}, {"index", model.d_head}}),
            layer_by_head(name + "_norm", model), layer_by_head(name + "_rank", model),
            layer_by_head(name + "_sign", model)};
}

std::optional<sdk::Failure> OvQk::begin(const sdk::Start& start) {
    ov_ = circuit("ov", start.model);
    qk_ = circuit("qk", start.model);
    return std::nullopt;
}

/// Of in · backᵀ, both [d_model, d_head]: its singular values are those of R_in R_backᵀ, its eigenvalues that
/// are not zero those of backᵀ · in.
void OvQk::measure(Circuit& out, int layer, int head, const Dense& in, const Dense& back) {
    // Wider heads than the residual stream have no thin factors.
    const bool thin = in.rows >= in.cols;
    const Dense core = thin ? product(triangular_factor(in), transposed(triangular_factor(back)))
                            : product(in, transposed(back));
    const std::vector<double> values = singular_values(core);
    for (std::size_t i = 0; i < values.size(); ++i)
        out.singular(layer, head, i) = values[i];
    out.norm(layer, head) = frobenius(core);
    out.rank(layer, head) = effective_rank(values);
    double sum = 0;
    double size = 0;
    for (const std::complex<double>& value : eigenvalues(product(transposed(back), in))) {
        sum += value.real();
        size += std::abs(value);
    }
    out.sign(layer, head) = size > 0 ? sum / size : std::nan("");
}

bool OvQk::visit(int layer, const std::vector<HeadCircuit>& heads) {
    for (std::size_t h = 0; h < heads.size(); ++h) {
        const int head = static_cast<int>(h);
        if (!report(progress(layer, static_cast<double>(h) / static_cast<double>(heads.size())),
                    "OV and QK circuits"))
            return false;
        measure(ov_, layer, head, heads[h].ov_in, transposed(heads[h].ov_out));
        measure(qk_, layer, head, heads[h].qk_query, heads[h].qk_key);
    }
    return true;
}

sdk::Reply OvQk::finish() {
    return sdk::Done{{ov_.sign, ov_.norm, ov_.rank, ov_.singular, qk_.sign, qk_.norm, qk_.rank, qk_.singular,
                      sdk::ResultData::text("conditions", conditions())}};
}

} // namespace vitrine::analysis
