// A model that is put together by hand, so that every effect is known by construction: two layers of
// attention, MLPs of zeros, a head that looks at the previous token and, behind it, an induction head that
// copies.
//
// The residual stream holds four parts of 8 numbers, then the same ones negative, so that LayerNorm finds no
// mean: the token, its position, the previous token, and nothing. A match has a score so large that attention
// is one-hot in float32; where nothing matches it is uniform. So with X = 2c/s, s the scale of the final
// norm, the logit difference of a clean run is X, and each edit leaves X, 0 or −X.
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>

#include <QTemporaryDir>
#include <QtTest>
#include <fmt/format.h>

#include "core/base/json.h"
#include "tests/analysis/analyse.h"

using namespace vitrine;
using test::Loaded;

namespace {

constexpr int part = 8, width = 6 * part, heads = 3, head_width = width / heads, layers = 2;
constexpr int token_part = 0, position_part = 1, previous_part = 2;
constexpr double copied = 2, eps = 1e-5;

struct Matrix {
    std::vector<int> shape;
    std::vector<float> data;
    Matrix() = default;
    explicit Matrix(std::vector<int> sizes) : shape(std::move(sizes)) {
        data.resize(static_cast<std::size_t>(shape[0] * (shape.size() > 1 ? shape[1] : 1)));
    }
    float& at(int row, int column) { return data[static_cast<std::size_t>(row * shape[1] + column)]; }
};

using Weights = std::map<std::string, Matrix>;

/// Both halves of a vector that is 1 at `index` of a part.
void write(Matrix& matrix, int row, int of_part, int index, double size) {
    matrix.at(row, of_part * part + index) += static_cast<float>(size);
    matrix.at(row, width / 2 + of_part * part + index) -= static_cast<float>(size);
}

/// Query, key or value (0, 1, 2) of a head: number i reads `index(i)` of a part, `size` times.
template <typename Index>
void read(Weights& weights, int layer, int head, int what, int of_part, double size, const Index& index) {
    Matrix& matrix = weights[fmt::format("transformer.h.{}.attn.c_attn.weight", layer)];
    for (int i = 0; i < part; ++i)
        if (index(i) >= 0)
            matrix.at(of_part * part + index(i), what * width + head * head_width + i) =
                static_cast<float>(size);
}

void output(Weights& weights, int layer, int head, int of_part, double size) {
    Matrix& matrix = weights[fmt::format("transformer.h.{}.attn.c_proj.weight", layer)];
    for (int i = 0; i < part; ++i)
        write(matrix, head * head_width + i, of_part, i, size);
}

Weights made() {
    Weights weights;
    const auto add = [&](const std::string& name, std::vector<int> shape, float fill = 0) {
        Matrix matrix(std::move(shape));
        std::fill(matrix.data.begin(), matrix.data.end(), fill);
        weights["transformer." + name] = std::move(matrix);
    };
    add("wte.weight", {part, width});
    add("wpe.weight", {part, width});
    for (int layer = 0; layer < layers; ++layer) {
        const std::string block = fmt::format("h.{}.", layer);
        for (const char* norm : {"ln_1.", "ln_2."}) {
            add(block + norm + "weight", {width}, 1);
            add(block + norm + "bias", {width});
        }
        add(block + "attn.c_attn.weight", {width, 3 * width});
        add(block + "attn.c_attn.bias", {3 * width});
        add(block + "attn.c_proj.weight", {width, width});
        add(block + "attn.c_proj.bias", {width});
        add(block + "mlp.c_fc.weight", {width, 4});
        add(block + "mlp.c_fc.bias", {4});
        add(block + "mlp.c_proj.weight", {4, width});
        add(block + "mlp.c_proj.bias", {width});
    }
    add("ln_f.weight", {width}, 1);
    add("ln_f.bias", {width});
    for (int i = 0; i < part; ++i) {
        write(weights["transformer.wte.weight"], i, token_part, i, 1);
        write(weights["transformer.wpe.weight"], i, position_part, i, 1);
    }
    constexpr double sharp = 40; // scores of some thousands
    // What the norms divide by: 4 and 6 of the 48 numbers are ±1.
    const double first = std::sqrt(4.0 / width + eps), second = std::sqrt(6.0 / width + eps);
    const auto same = [](int i) { return i; };
    const auto one_before = [](int i) { return i + 1 < part ? i + 1 : -1; };
    // L0H0 looks at its own token and writes nothing; L0H1 is the head of the previous token.
    read(weights, 0, 0, 0, position_part, sharp, same);
    read(weights, 0, 0, 1, position_part, sharp, same);
    read(weights, 0, 0, 2, token_part, first, same);
    read(weights, 0, 1, 0, position_part, sharp, one_before); // number i of the query of position i + 1
    read(weights, 0, 1, 1, position_part, sharp, same);
    read(weights, 0, 1, 2, token_part, first, same);
    output(weights, 0, 1, previous_part, 1);
    // L1H1 looks where L1H2, the induction head, looks, and writes nothing.
    for (const int head : {1, 2}) {
        read(weights, 1, head, 0, token_part, sharp, same);
        read(weights, 1, head, 1, previous_part, sharp, same);
        read(weights, 1, head, 2, token_part, second, same);
    }
    output(weights, 1, 2, token_part, copied);
    return weights;
}

void save(const std::string& folder) {
    const Json config = {{"model_type", "gpt2"},
                         {"architectures", {"GPT2LMHeadModel"}},
                         {"vocab_size", part},
                         {"n_positions", part},
                         {"n_embd", width},
                         {"n_layer", layers},
                         {"n_head", heads},
                         {"n_inner", 4},
                         {"activation_function", "gelu_new"},
                         {"layer_norm_epsilon", eps},
                         {"tie_word_embeddings", true}};
    std::ofstream(folder + "/config.json") << config.dump();
    Json header = Json::object();
    std::string bytes;
    for (const auto& [name, matrix] : made()) {
        const std::size_t begin = bytes.size();
        bytes.append(reinterpret_cast<const char*>(matrix.data.data()), 4 * matrix.data.size());
        header[name] = {{"dtype", "F32"}, {"shape", matrix.shape}, {"data_offsets", {begin, bytes.size()}}};
    }
    const std::string text = header.dump();
    const auto length = static_cast<std::uint64_t>(text.size());
    char prefix[8];
    std::memcpy(prefix, &length, 8);
    std::ofstream file(folder + "/model.safetensors", std::ios::binary);
    file.write(prefix, 8);
    file << text << bytes;
}

// Token 1 was followed by 2, in the corrupted prompt by 4.
const Json clean = {0, 1, 2, 5, 4, 1}, corrupted = {0, 5, 2, 1, 4, 1};
constexpr int last = 5;

const double X = 2 * copied / std::sqrt((6 + 2 * copied * copied) / width + eps);

Json with(Json parameters, const Json& more) {
    parameters.update(more);
    return parameters;
}

struct World {
    QTemporaryDir folder;
    std::unique_ptr<Loaded> on;
    explicit World(const std::string& device) {
        save(folder.path().toStdString());
        on = std::make_unique<Loaded>(folder.path().toStdString(), device);
    }
    /// The numbers of a result; metric: logit of 2 − logit of 4 at the end.
    std::vector<double> numbers(const std::string& id, const Json& more, const Json& rows,
                                const std::string& result) const {
        const Json metric = {{"answer", {2}}, {"distractor", {4}}};
        const auto results =
            test::analyse(*on, {{"id", id},
                                {"parameters", id == "direct-logit-attribution" ? more : with(metric, more)},
                                {"rows", rows}});
        if (!results) qFatal("%s", results.error().message.c_str());
        return test::result_of(*results, result).data;
    }
};

/// All numbers are 0 but those given (NaN: no value).
void only(const std::vector<double>& found, const std::map<std::size_t, double>& wanted,
          const std::string& what, double base = 0) {
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto known = wanted.find(i);
        const double expected = known == wanted.end() ? base : known->second;
        const bool right =
            std::isnan(expected) ? std::isnan(found[i]) : std::abs(found[i] - expected) <= 4e-6 * X;
        QVERIFY2(right, fmt::format("{}: number {} is {}, not {}", what, i, found[i], expected).c_str());
    }
}

std::size_t head(int layer, int index) { return static_cast<std::size_t>(layer * heads + index); }
std::size_t place(int layer, int pos) { return static_cast<std::size_t>(layer * 6 + pos); }

} // namespace

class TestKnownCircuit : public QObject {
    Q_OBJECT
private slots:
    void initTestCase_data() {
        QTest::addColumn<QString>("device");
        for (const std::string& device : test::devices())
            QTest::newRow(device.c_str()) << QString::fromStdString(device);
    }

    void ablation_names_the_two_heads() {
        const Json rows = Json::array({clean});
        const auto effects = world().numbers("ablate", {{"unrelated", 0}, {"draws", 0}}, rows, "effect");
        only(effects, {{head(0, 1), -X}, {head(1, 2), -X}}, "ablate");
        only(world().numbers("ablate", {{"site", "mlps"}}, rows, "effect"), {}, "MLPs");
        only(world().numbers("ablate", Json::object(), rows, "clean"), {{0, X}}, "clean");
    }

    void patching_names_heads_and_places() {
        const Json pair = Json::array({clean, corrupted});
        const auto patch = [&](const char* site, const char* axes, const char* result = "effect") {
            return world().numbers("patch", {{"site", site}, {"axes", axes}, {"draws", 0}}, pair, result);
        };
        // Through the z, q, k, v and pattern of all positions of a head.
        only(patch("z", "layer,head"), {{head(0, 1), X}, {head(1, 2), X}}, "z", -X);
        only(patch("k", "layer,head"), {{head(1, 2), X}}, "k", -X);
        only(patch("q", "layer,head"), {}, "q", -X);
        only(patch("v", "layer,head"), {{head(0, 1), X}}, "v", -X);
        only(patch("pattern", "layer,head"), {{head(1, 2), X}}, "pattern", -X);
        // One of the two tokens that differ: no match or two, and half of the gap.
        only(patch("resid_pre", "layer,pos"),
             {{place(0, 1), 0}, {place(0, 3), 0}, {place(1, 2), 0}, {place(1, 4), 0}}, "resid_pre", -X);
        only(patch("resid_pre", "layer,pos", "normalised"),
             {{place(0, 1), 0.5}, {place(0, 3), 0.5}, {place(1, 2), 0.5}, {place(1, 4), 0.5}}, "normalised");
        only(patch("attn_out", "layer,pos"), {{place(0, 2), 0}, {place(0, 4), 0}, {place(1, last), X}},
             "attn_out", -X);
        only(patch("mlp_out", "layer,pos"), {}, "mlp_out", -X);
        only(world().numbers("patch", {{"site", "z"}, {"axes", "pos,head"}, {"layer", 1}, {"draws", 0}}, pair,
                             "effect"),
             {{last * heads + 2, X}}, "z by position", -X);
        only(world().numbers("patch",
                             {{"site", "z"}, {"axes", "layer,head"}, {"direction", "noise"}, {"draws", 0}},
                             pair, "effect"),
             {{head(0, 1), -X}, {head(1, 2), -X}}, "noise", X);
        only(world().numbers("causal-trace", Json::object(), pair, "effect"),
             {{place(0, 2), X}, {place(0, 4), X}, {place(1, last), 2 * X}}, "causal-trace");
    }

    void paths_lead_from_the_one_head_to_the_keys_of_the_other() {
        const Json pair = Json::array({clean, corrupted});
        const auto paths = [&](const char* receiver) {
            return world().numbers("path-patch", {{"receiver", {receiver}}, {"draws", 0}}, pair, "effect");
        };
        only(paths("logits"), {{head(1, 2), -2 * X}}, "to the logits");
        const double none = std::nan("");
        const std::map<std::size_t, double> behind = {
            {head(1, 0), none}, {head(1, 1), none}, {head(1, 2), none}};
        auto keys = behind;
        keys[head(0, 1)] = -2 * X;
        only(paths("L1H2:k"), keys, "to keys");
        only(paths("L1H2:q"), behind, "to queries");
        only(paths("L1H2:v"), behind, "to values");
        only(paths("L1H1:k"), behind, "to the head that writes nothing");
    }

    void attribution_names_the_head_that_writes() {
        const Json parameters = {{"token", {2}}, {"minus", {4}}, {"split", "head"}};
        const auto results = test::analyse(
            *world().on,
            {{"id", "direct-logit-attribution"}, {"parameters", parameters}, {"rows", Json::array({clean})}});
        QVERIFY(results);
        const auto& parts = test::result_of(*results, "attribution");
        const auto& labels = parts.axes.back().labels;
        const auto at = std::find(labels.begin(), labels.end(), "L1H2") - labels.begin();
        only(parts.data, {{static_cast<std::size_t>(at), X}}, "attribution");
    }

    void the_circuit_is_complete_and_minimal() {
        const Json circuit = {{"circuit", {"L0H1", "L1H2"}}, {"kind", "zero"}};
        const auto result = [&](const char* name) {
            return world().numbers("circuit-faithfulness", circuit, Json::array({clean}), name);
        };
        only(result("faithfulness"), {{1, 1}}, "faithfulness");
        only(result("completeness"), {}, "completeness");
        only(result("minimality"), {{0, 1}, {1, 1}}, "minimality");
    }

private:
    const World& world() {
        QFETCH_GLOBAL(QString, device);
        auto& made = worlds_[device.toStdString()];
        if (!made) made = std::make_unique<World>(device.toStdString());
        return *made;
    }

    std::map<std::string, std::unique_ptr<World>> worlds_;
};

QTEST_GUILESS_MAIN(TestKnownCircuit)
#include "test_known_circuit.moc"
