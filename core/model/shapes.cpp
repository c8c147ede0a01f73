#include "core/model/shapes.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::model {

namespace {

constexpr std::int64_t table_size = std::int64_t{1} << 22;
constexpr std::int64_t ones_size = 1 << 13; // norms' weights

// Uniform numbers with standard deviation 0.02 from a multiplicative hash of the index, then ones.
std::shared_ptr<const std::vector<float>> make_table() {
    auto table = std::make_shared<std::vector<float>>(static_cast<std::size_t>(table_size + ones_size), 1.0F);
    const float width = 0.02F * std::sqrt(12.0F);
    std::uint64_t state = 0x9E3779B97F4A7C15ULL;
    for (std::int64_t i = 0; i < table_size; ++i) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        (*table)[static_cast<std::size_t>(i)] = (static_cast<float>(state >> 40) * 0x1p-24F - 0.5F) * width;
    }
    return table;
}

class Maker {
public:
    explicit Maker(Model& model) : model_(model), table_(make_table()) { model_.storage = table_; }

    /// [in, out] as GPT-2 stores it (rows follow each other).
    void by_rows(const std::string& name, std::int64_t rows, std::int64_t cols) {
        add(name, rows, cols, stride(cols, rows), 1);
    }
    /// [in, out] as nn.Linear stores it (columns follow each other).
    void by_columns(const std::string& name, std::int64_t rows, std::int64_t cols) {
        add(name, rows, cols, 1, stride(rows, cols));
    }
    void vector(const std::string& name, std::int64_t size) { add(name, 1, size, size, 1); }

    void ones(const std::string& name, std::int64_t size) {
        model_.parameters += size;
        model_.add({name, bytes(table_size), DType::f32, 1, size, size, 1});
    }

    void tied_unembedding() {
        const Weight& embed = model_.at(model_.find("W_E"));
        model_.add({"unembed.W_U", embed.data, DType::f32, embed.cols, embed.rows, embed.col_stride,
                    embed.row_stride});
    }

private:
    const std::byte* bytes(std::int64_t element) const {
        return reinterpret_cast<const std::byte*>(table_->data() + element);
    }

    /// Distance between `lines` lines of `length` elements: the length itself if they fit into the table.
    static std::int64_t stride(std::int64_t length, std::int64_t lines) {
        return std::min(length, (table_size - length) / std::max<std::int64_t>(lines - 1, 1));
    }

    void add(const std::string& name, std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
             std::int64_t col_stride) {
        const std::int64_t span = (rows - 1) * row_stride + (cols - 1) * col_stride + 1;
        const std::int64_t offset = next_ % (table_size - span + 1);
        next_ += 1000003; // a prime: every weight starts elsewhere
        model_.parameters += rows * cols;
        model_.add({name, bytes(offset), DType::f32, rows, cols, row_stride, col_stride});
    }

    Model& model_;
    std::shared_ptr<const std::vector<float>> table_;
    std::int64_t next_ = 0;
};

ModelSpec gpt2_small() {
    ModelSpec spec;
    spec.family = "gpt2";
    spec.layers = 12;
    spec.d_model = 768;
    spec.heads = spec.kv_heads = 12;
    spec.d_head = 64;
    spec.d_ff = 3072;
    spec.vocab = 50257;
    spec.context = 1024;
    spec.norm = {NormKind::layer, 1e-5F};
    spec.activation = Activation::gelu_tanh;
    spec.positional = Positional::learned;
    spec.tied = true;
    return spec;
}

ModelSpec llama(int layers, int d_model, int heads, int kv_heads, int d_ff) {
    ModelSpec spec;
    spec.family = "llama";
    spec.layers = layers;
    spec.d_model = d_model;
    spec.heads = heads;
    spec.kv_heads = kv_heads;
    spec.d_head = d_model / heads;
    spec.d_ff = d_ff;
    spec.vocab = 32000;
    spec.context = 2048;
    spec.norm = {NormKind::rms, 1e-6F};
    spec.activation = Activation::silu;
    spec.gated = true;
    spec.positional = Positional::rotary;
    RotarySpec rotary;
    rotary.dims = spec.d_head;
    for (int i = 0; i < spec.d_head / 2; ++i)
        rotary.inverse_frequency.push_back(
            1.0F / std::pow(10000.0F, static_cast<float>(2 * i) / static_cast<float>(spec.d_head)));
    spec.rotaries = {std::move(rotary)};
    return spec;
}

void fill_gpt2(const ModelSpec& spec, Maker& maker) {
    maker.by_rows("W_E", spec.vocab, spec.d_model);
    maker.by_rows("W_pos", spec.context, spec.d_model);
    const int d = spec.d_model;
    for (int layer = 0; layer < spec.layers; ++layer) {
        const std::string block = fmt::format("blocks.{}.", layer);
        for (const char* norm : {"ln1", "ln2"}) {
            maker.ones(block + norm + ".w", d);
            maker.vector(block + norm + ".b", d);
        }
        for (const char* part : {"Q", "K", "V", "O"}) {
            maker.by_rows(block + "attn.W_" + part, d, d);
            maker.vector(block + "attn.b_" + part, d);
        }
        maker.by_rows(block + "mlp.W_in", d, spec.d_ff);
        maker.vector(block + "mlp.b_in", spec.d_ff);
        maker.by_rows(block + "mlp.W_out", spec.d_ff, d);
        maker.vector(block + "mlp.b_out", d);
    }
    maker.ones("ln_final.w", d);
    maker.vector("ln_final.b", d);
    maker.tied_unembedding();
}

void fill_llama(const ModelSpec& spec, Maker& maker) {
    const int d = spec.d_model;
    maker.by_rows("W_E", spec.vocab, d);
    for (int layer = 0; layer < spec.layers; ++layer) {
        const std::string block = fmt::format("blocks.{}.", layer);
        maker.ones(block + "ln1.w", d);
        maker.by_columns(block + "attn.W_Q", d, spec.heads * spec.d_head);
        maker.by_columns(block + "attn.W_K", d, spec.kv_heads * spec.d_head);
        maker.by_columns(block + "attn.W_V", d, spec.kv_heads * spec.d_head);
        maker.by_columns(block + "attn.W_O", spec.heads * spec.d_head, d);
        maker.ones(block + "ln2.w", d);
        maker.by_columns(block + "mlp.W_gate", d, spec.d_ff);
        maker.by_columns(block + "mlp.W_in", d, spec.d_ff);
        maker.by_columns(block + "mlp.W_out", spec.d_ff, d);
    }
    maker.ones("ln_final.w", d);
    maker.by_columns("unembed.W_U", d, spec.vocab);
}

} // namespace

const std::vector<std::string>& shape_names() {
    static const std::vector<std::string> names = {"gpt2-small", "llama-160m", "llama-1.1b"};
    return names;
}

Result<Model> shape_model(const std::string& name) {
    Model model;
    if (name == "gpt2-small")
        model.spec = gpt2_small();
    else if (name == "llama-160m")
        model.spec = llama(12, 768, 12, 12, 3072);
    else if (name == "llama-1.1b")
        model.spec = llama(22, 2048, 32, 4, 5632);
    else
        return fail(Code::not_found, fmt::format("There is no shape \"{}\"; there are {}.", name,
                                                 fmt::join(shape_names(), ", ")));
    model.spec.attention_scale = 1.0F / std::sqrt(static_cast<float>(model.spec.d_head));
    model.path = name;
    model.format = "memory";
    Maker maker(model);
    if (model.spec.family == "gpt2")
        fill_gpt2(model.spec, maker);
    else
        fill_llama(model.spec, maker);
    return model;
}

} // namespace vitrine::model
