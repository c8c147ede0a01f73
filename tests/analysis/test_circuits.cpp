// Spectra of weights and circuits of heads, against d_model × d_model matrices made and decomposed by brute
// force in float64.
#include <cmath>
#include <complex>
#include <random>

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <QtTest>

#include "tests/analysis/drive.h"

using namespace drive;

namespace {

using Matrix = Eigen::MatrixXd;

constexpr int layers = 3;
constexpr int heads = 4;
constexpr int kv_heads = 2;
constexpr int d_head = 4;
constexpr int d_model = 14;
constexpr double scale = 0.5;

/// Random weights, a little correlated between layers so that composition differs from the baseline.
std::map<std::string, Array> weights() {
    std::map<std::string, Array> all;
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    const auto add = [&](const std::string& name, std::int64_t rows, std::int64_t cols) {
        Array array{{rows, cols}, {}};
        for (std::int64_t i = 0; i < rows * cols; ++i)
            array.data.push_back(normal(random) + (i % cols == 0 ? 2.0F : 0.0F));
        all[name] = array;
    };
    for (int layer = 0; layer < layers; ++layer) {
        const std::string attn = "blocks." + std::to_string(layer) + ".attn.";
        add(attn + "W_Q", d_model, heads * d_head);
        add(attn + "W_K", d_model, kv_heads * d_head);
        add(attn + "W_V", d_model, kv_heads * d_head);
        add(attn + "W_O", heads * d_head, d_model);
        add("blocks." + std::to_string(layer) + ".mlp.W_in", d_model, 9);
        add(attn + "q_norm.w", 1, d_head);
        add(attn + "k_norm.w", 1, kv_heads * d_head);
    }
    return all;
}

Json facts(bool rotary) {
    Json facts =
        model(layers, heads,
              {{"d_model", d_model}, {"kv_heads", kv_heads}, {"d_head", d_head}, {"qk_norm", "per_head"}});
    for (int layer = 0; layer < layers; ++layer) {
        facts["attention_scale"].push_back(scale);
        // The last layer does not rotate; the others pair dimensions differently.
        facts["rotary"].push_back(rotary && layer < 2 ? Json({{"dims", 4},
                                                              {"interleaved", layer == 1},
                                                              {"scale", 1.5},
                                                              {"inverse_frequency", {0.7, 0.2}}})
                                                      : Json());
    }
    for (const auto& [name, array] : weights())
        if (array.shape[0] > 1)
            facts["matrices"].push_back({{"name", name}, {"rows", array.shape[0]}, {"cols", array.shape[1]}});
    return facts;
}

Outcome run(const std::string& id, const Json& parameters, bool rotary = true) {
    World world;
    world.model = facts(rotary);
    world.weights = weights();
    return Driver(id, world).run(parameters, Json::array());
}

Matrix matrix(const std::string& name) {
    const Array array = weights().at(name);
    Matrix out(array.shape[0], array.shape[1]);
    for (int r = 0; r < out.rows(); ++r)
        for (int c = 0; c < out.cols(); ++c)
            out(r, c) = array.data[static_cast<std::size_t>(r * out.cols() + c)];
    return out;
}

std::string attn(int layer) { return "blocks." + std::to_string(layer) + ".attn."; }

Matrix ov(int layer, int head) {
    return matrix(attn(layer) + "W_V").middleCols(head / 2 * d_head, d_head) *
           matrix(attn(layer) + "W_O").middleRows(head * d_head, d_head);
}

/// Rotates a row vector of a head as position `pos` does, entry by entry.
Eigen::RowVectorXd rotated(Eigen::RowVectorXd v, int layer, int pos) {
    if (layer == 2) return v;
    for (int pair = 0; pair < 2; ++pair) {
        const int a = layer == 1 ? 2 * pair : pair;
        const int b = layer == 1 ? 2 * pair + 1 : pair + 2;
        const double angle = (pair == 0 ? 0.7 : 0.2) * pos;
        const double x = v[a];
        const double y = v[b];
        v[a] = 1.5 * (x * std::cos(angle) - y * std::sin(angle));
        v[b] = 1.5 * (y * std::cos(angle) + x * std::sin(angle));
    }
    return v;
}

/// By bilinearity: entry (i, j) is the score of basis vectors as query at position `offset` and key at 0.
Matrix qk(int layer, int head, int offset, bool rotary) {
    const Matrix q = matrix(attn(layer) + "W_Q").middleCols(head * d_head, d_head);
    const Matrix k = matrix(attn(layer) + "W_K").middleCols(head / 2 * d_head, d_head);
    const Matrix wq = matrix(attn(layer) + "q_norm.w");
    const Matrix wk = matrix(attn(layer) + "k_norm.w").middleCols(head / 2 * d_head, d_head);
    Matrix out(d_model, d_model);
    for (int i = 0; i < d_model; ++i)
        for (int j = 0; j < d_model; ++j) {
            Eigen::RowVectorXd query = q.row(i).cwiseProduct(wq.row(0));
            Eigen::RowVectorXd key = k.row(j).cwiseProduct(wk.row(0));
            if (rotary) {
                query = rotated(query, layer, offset + 3); // only the difference matters
                key = rotated(key, layer, 3);
            }
            out(i, j) = scale * query.dot(key);
        }
    return out;
}

std::vector<double> brute_values(const Matrix& a) {
    const Eigen::JacobiSVD<Matrix> svd(a);
    return {svd.singularValues().data(), svd.singularValues().data() + svd.singularValues().size()};
}

double brute_sign(const Matrix& a) {
    const Eigen::EigenSolver<Matrix> solver(a, false);
    return solver.eigenvalues().real().sum() / solver.eigenvalues().cwiseAbs().sum();
}

bool close(double a, double b, double tolerance = 1e-9) {
    return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

} // namespace

class TestCircuits : public QObject {
    Q_OBJECT
private slots:
    void spectra_of_matrices() {
        const Outcome outcome = run("weights-spectra", {{"weight", "blocks.*.mlp.W_in"}});
        const auto values = outcome.numbers("singular_values");
        const Json& table = outcome.find("spectra").at("value");
        QCOMPARE(values.size(), std::size_t{layers * 9});
        for (int layer = 0; layer < layers; ++layer) {
            const auto brute = brute_values(matrix("blocks." + std::to_string(layer) + ".mlp.W_in"));
            double squares = 0, sum = 0, entropy = 0;
            for (const double value : brute)
                squares += value * value, sum += value;
            for (const double value : brute)
                entropy -= value / sum * std::log(value / sum);
            for (std::size_t i = 0; i < brute.size(); ++i)
                QVERIFY(std::abs(values[static_cast<std::size_t>(layer) * 9 + i] - brute[i]) <
                        2e-8 * brute[0]);
            const Json& row = table[static_cast<std::size_t>(layer)];
            QVERIFY(close(row["frobenius"], std::sqrt(squares), 1e-7));
            QVERIFY(close(row["stable_rank"], squares / (brute[0] * brute[0]), 1e-7));
            QVERIFY(close(row["effective_rank"], std::exp(entropy), 1e-6));
        }
        // One matrix gives a series; a wide one is looked at from its short side; ragged where sizes differ.
        const auto wide = run("weights-spectra", {{"weight", "blocks.0.attn.W_K"}});
        QCOMPARE(wide.find("singular_values").at("kind"), "series");
        QCOMPARE(wide.numbers("singular_values").size(), std::size_t{8});
        const auto mixed = run("weights-spectra", {{"weight", "blocks.0.*"}});
        QVERIFY(mixed.find("singular_values").contains("lengths"));
        const auto none = run("weights-spectra", {{"weight", "blocks.9.attn.W_K"}});
        QCOMPARE(none.error.at("code"), "not-found");
    }

    void circuits_are_those_of_whole_matrices_data() {
        QTest::addColumn<bool>("rotary");
        QTest::addColumn<int>("offset");
        QTest::newRow("no rotation") << false << 0;
        QTest::newRow("same position") << true << 0;
        QTest::newRow("five positions before") << true << 5;
    }
    void circuits_are_those_of_whole_matrices() {
        QFETCH(bool, rotary);
        QFETCH(int, offset);
        const Outcome outcome = run("ov-qk", {{"offset", offset}}, rotary);
        for (const std::string name : {"ov", "qk"}) {
            const auto values = outcome.numbers(name + "_singular_values");
            const auto norms = outcome.numbers(name + "_norm");
            const auto signs = outcome.numbers(name + "_sign");
            for (int layer = 0; layer < layers; ++layer)
                for (int head = 0; head < heads; ++head) {
                    const Matrix whole = name == "ov" ? ov(layer, head) : qk(layer, head, offset, rotary);
                    const auto brute = brute_values(whole);
                    const auto at = static_cast<std::size_t>(layer * heads + head);
                    for (std::size_t i = 0; i < d_head; ++i)
                        QVERIFY(close(values[at * d_head + i], brute[i]));
                    QVERIFY(brute[d_head] < 1e-9); // no more than d_head of them
                    QVERIFY(close(norms[at], whole.norm()));
                    QVERIFY(close(signs[at], brute_sign(whole), 1e-7));
                }
        }
        const auto said = outcome.find("conditions").at("value").get<std::string>();
        QCOMPARE(said.find("rotated") != std::string::npos, rotary);
        QVERIFY(said.find("raw") != std::string::npos && said.find("normed") != std::string::npos);
    }

    void composition_is_that_of_whole_matrices() {
        const Outcome outcome = run("composition", {{"offset", 2}});
        const auto q = outcome.numbers("q_composition");
        const auto k = outcome.numbers("k_composition");
        const auto v = outcome.numbers("v_composition");
        const int all = layers * heads;
        double best = 0;
        for (int from = 0; from < all; ++from)
            for (int to = 0; to < all; ++to) {
                const auto at = static_cast<std::size_t>(from * all + to);
                if (from / heads >= to / heads) {
                    QVERIFY(std::isnan(q[at]) && std::isnan(k[at]) && std::isnan(v[at]));
                    continue;
                }
                const Matrix writes = ov(from / heads, from % heads);
                const Matrix reads = qk(to / heads, to % heads, 2, true);
                const Matrix moves = ov(to / heads, to % heads);
                const auto score = [&](const Matrix& second) {
                    return (writes * second).norm() / (writes.norm() * second.norm());
                };
                QVERIFY(close(q[at], score(reads), 1e-5));
                QVERIFY(close(k[at], score(reads.transpose()), 1e-5));
                QVERIFY(close(v[at], score(moves), 1e-5));
                best = std::max({best, q[at], k[at], v[at]});
            }
        QVERIFY(close(outcome.numbers("baseline")[0], 1 / std::sqrt(14.0)));
        QVERIFY(close(outcome.find("strongest").at("value")[0]["score"], best));
    }
};

QTEST_GUILESS_MAIN(TestCircuits)
#include "test_circuits.moc"
