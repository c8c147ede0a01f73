#pragma once
// A decoder's forward pass written out in plain float64 loops from the meaning of ModelSpec's fields: the
// independent truth of test_blocks. It shares no code with the program but the spec itself.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/model/model.h"

namespace vitrine::test {

/// A small model with random weights under the names that the spec calls for.
model::Model made_model(const model::ModelSpec& spec, bool biases, unsigned seed = 1);

/// [tokens] lines of `width` numbers.
using Lines = std::vector<double>;

class PlainForward {
public:
    /// Called at every hook with its value, which it may change. Values are [pos, head, width] or [head,
    /// query, key].
    using Tap = std::function<void(const std::string& hook, Lines& value)>;

    /// `split`: attention reads its per-head inputs (hook_attn_in, hook_q_input, …), whose hooks are then
    /// called.
    PlainForward(const model::Model& model, Tap tap = {}, bool split = false);

    /// Logits of every token, [tokens, vocab].
    Lines logits(const std::vector<int>& ids);

private:
    struct Matrix {
        int rows = 0, cols = 0;
        std::vector<double> data;
    };

    const Matrix* find(const std::string& name) const;
    const Matrix& at(const std::string& name) const;
    void hook(const std::string& name, Lines& value) const {
        if (tap_) tap_(name, value);
    }
    Lines product(const Lines& x, const std::string& w, const std::string& b) const;
    Lines norm(const std::string& prefix, const Lines& x, bool hooked = true) const;
    void norm_heads(const std::string& prefix, Lines& x, int heads) const;
    void rotate(int layer, Lines& x, int heads) const;
    double position_bias(int head, int key) const;
    Lines projected(int layer, char letter, const Lines& residual, const Lines& normed, int heads) const;
    Lines attention(int layer, const Lines& residual, const Lines& normed) const;
    Lines mlp(int layer, const Lines& in) const;
    Lines branch(int layer, const std::string& name, const std::string& post_norm, Lines out) const;
    Lines block(int layer, Lines residual) const;

    const model::ModelSpec& spec_;
    std::map<std::string, Matrix> weights_;
    Tap tap_;
    bool split_;
    int tokens_ = 0;
};

} // namespace vitrine::test
