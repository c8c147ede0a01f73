// The lens on made-up residual streams, against the formulas in float64.
#include <algorithm>
#include <cmath>
#include <random>

#include <QtTest>

#include "core/analysis/unembed.h"
#include "tests/analysis/drive.h"

using namespace drive;

namespace {

constexpr int layers = 3, width = 70, vocab = 301; // neither a multiple of a block

Array random_array(std::vector<std::int64_t> shape, unsigned seed, double scale = 1) {
    std::mt19937 random(seed);
    Array array{std::move(shape), {}};
    std::int64_t count = 1;
    for (const auto size : array.shape)
        count *= size;
    for (std::int64_t i = 0; i < count; ++i)
        array.data.push_back(static_cast<float>(scale * (static_cast<double>(random()) / 2147483648.0 - 1)));
    return array;
}

// The residual stream of a layer; rows differ by their first id.
Array stream(const std::string& hook, const Json& row) {
    const auto length = static_cast<std::int64_t>(row.at("ids").size());
    const unsigned layer = static_cast<unsigned>(hook.at(7) - '0');
    return random_array({length, width}, 100 + layer + 10 * row.at("ids")[0].get<unsigned>(), 3);
}

// The model's own logits: not what the stream gives, so that a test sees which of the two is used.
std::vector<int> places_of(const Json& row) {
    const int length = static_cast<int>(row.at("ids").size());
    std::vector<int> places;
    if (row.at("positions") == "all")
        for (int i = 0; i < length; ++i)
            places.push_back(i);
    else
        for (const Json& pos : row.at("positions"))
            places.push_back(pos.get<int>() < 0 ? pos.get<int>() + length : pos.get<int>());
    return places;
}
std::vector<float> own_logits(int position) {
    return random_array({vocab}, 900 + static_cast<unsigned>(position), 4).data;
}

/// `facts` say more about the model; `narrow`: rows of W_U where the residual stream is projected before it.
World world(const std::string& norm, const Json& facts = Json::object(), int narrow = 0) {
    Json about{{"d_model", width}, {"vocab", vocab}, {"norm", norm}, {"norm_eps", 1e-5}};
    about.update(facts);
    World made{model(layers, 1, about),
               [](const std::string& hook, const Json& row) {
                   if (hook != "logits") return stream(hook, row);
                   Array logits{{0, vocab}, {}};
                   for (const int place : places_of(row)) {
                       const auto line = own_logits(place);
                       logits.data.insert(logits.data.end(), line.begin(), line.end());
                       ++logits.shape[0];
                   }
                   return logits;
               },
               {},
               {}};
    made.weights["unembed.W_U"] = random_array({narrow > 0 ? narrow : width, vocab}, 1);
    if (narrow > 0) made.weights["unembed.W_in"] = random_array({width, narrow}, 5);
    const bool final_norm = about.value("final_norm", true);
    if (final_norm) made.weights["ln_final.w"] = random_array({1, width}, 2);
    if (norm == "layer" && final_norm) {
        made.weights["ln_final.b"] = random_array({1, width}, 3);
        made.weights["unembed.b_U"] = random_array({1, vocab}, 4);
    }
    return made;
}

std::vector<double> expected_logits(const World& world, const Array& stream, int position) {
    const bool centred = world.model.at("norm") == "layer";
    const float* x = stream.data.data() + position * width;
    double mean = 0, squares = 0;
    if (centred)
        for (int d = 0; d < width; ++d)
            mean += x[d] / static_cast<double>(width);
    for (int d = 0; d < width; ++d)
        squares += (x[d] - mean) * (x[d] - mean) / width;
    const auto value = [&](const char* name, std::size_t i) {
        return world.weights.contains(name) ? static_cast<double>(world.weights.at(name).data[i]) : 0.0;
    };
    std::vector<double> read;
    for (std::size_t d = 0; d < width; ++d)
        read.push_back(world.model.value("final_norm", true)
                           ? (x[d] - mean) / std::sqrt(squares + 1e-5) * value("ln_final.w", d) +
                                 value("ln_final.b", d)
                           : static_cast<double>(x[d]));
    if (world.weights.contains("unembed.W_in")) {
        const auto narrow = static_cast<std::size_t>(world.weights.at("unembed.W_in").shape[1]);
        std::vector<double> projected(narrow, 0.0);
        for (std::size_t c = 0; c < narrow; ++c)
            for (std::size_t d = 0; d < width; ++d)
                projected[c] += read[d] * value("unembed.W_in", d * narrow + c);
        read = std::move(projected);
    }
    const double scale = world.model.value("logit_scale", 1.0);
    const double cap = world.model.value("logit_cap", 0.0);
    std::vector<double> logits(vocab, 0.0);
    for (std::size_t id = 0; id < vocab; ++id) {
        logits[id] = value("unembed.b_U", id);
        for (std::size_t d = 0; d < read.size(); ++d)
            logits[id] += read[d] * value("unembed.W_U", d * vocab + id);
        logits[id] *= scale;
        if (cap > 0) logits[id] = cap * std::tanh(logits[id] / cap);
    }
    return logits;
}

std::vector<double> softmax(std::vector<double> logits) {
    const double top = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (double& x : logits)
        sum += x = std::exp(x - top);
    for (double& x : logits)
        x /= sum;
    return logits;
}

double entropy_of(const std::vector<double>& p) {
    double sum = 0;
    for (const double x : p)
        sum -= x * std::log(x);
    return sum;
}

double kl_of(const std::vector<double>& p, const std::vector<double>& q) {
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i)
        sum += p[i] * std::log(p[i] / q[i]);
    return sum;
}

std::vector<double> widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }

} // namespace

class TestLens : public QObject {
    Q_OBJECT
private slots:
    void logits_follow_the_formula_data() {
        QTest::addColumn<QString>("norm");
        QTest::addColumn<QString>("facts");
        QTest::addColumn<int>("narrow");
        QTest::newRow("layer norm with biases") << "layer"
                                                << "{}" << 0;
        QTest::newRow("rms norm") << "rms"
                                  << "{}" << 0;
        QTest::newRow("logits scaled") << "rms"
                                       << R"({"logit_scale":0.0625})" << 0;
        QTest::newRow("logits scaled, with biases") << "layer"
                                                    << R"({"logit_scale":0.25})" << 0;
        QTest::newRow("logits capped") << "rms"
                                       << R"({"logit_cap":3.0})" << 0;
        QTest::newRow("logits scaled, then capped") << "rms"
                                                    << R"({"logit_scale":2.0,"logit_cap":5.0})" << 0;
        QTest::newRow("no final norm") << "layer"
                                       << R"({"final_norm":false})" << 0;
        QTest::newRow("narrow unembedding") << "layer"
                                            << "{}" << 33;
        QTest::newRow("narrow unembedding, no final norm") << "layer"
                                                           << R"({"final_norm":false})" << 33;
    }

    void logits_follow_the_formula() {
        QFETCH(QString, norm);
        QFETCH(QString, facts);
        QFETCH(int, narrow);
        const World made = world(norm.toStdString(), Json::parse(facts.toStdString()), narrow);
        const Json rows = Json::array({row({5, 6, 7, 8})});
        const int token = 17, position = 2;
        const Outcome outcome =
            run("lens", made, {{"token", Json::array({token})}, {"position", position}}, rows);
        const auto logit = outcome.numbers("logit");
        QCOMPARE(logit.size(), static_cast<std::size_t>(layers));
        const auto final_p = softmax(widened(own_logits(position)));
        for (int layer = 0; layer < layers; ++layer) {
            const auto at = static_cast<std::size_t>(layer);
            const Array residual = stream("blocks." + std::to_string(layer) + ".hook_resid_post", rows[0]);
            const auto expected = layer == layers - 1 ? widened(own_logits(position))
                                                      : expected_logits(made, residual, position);
            const auto p = softmax(expected);
            compare(logit[at], expected[token], 1e-6 * std::max(10.0, std::abs(expected[token])));
            compare(outcome.numbers("prob")[at], p[token], 1e-6);
            QCOMPARE(outcome.numbers("rank")[at],
                     static_cast<double>(std::count_if(expected.begin(), expected.end(),
                                                       [&](double x) { return x > expected[token]; })));
            compare(outcome.numbers("entropy")[at], entropy_of(p), 1e-5);
            const double kl = kl_of(final_p, p);
            compare(outcome.numbers("kl_to_final")[at], kl, 1e-6 * std::max(10.0, kl));
        }
        QCOMPARE(outcome.numbers("kl_to_final").back(), 0.0);
    }

    void other_hooks_are_read_by_the_lens_to_the_end() {
        const World made = world("rms");
        const Json rows = Json::array({row({5, 6})});
        const Outcome outcome = run("lens", made, {{"token", Json::array({3})}, {"hook", "resid_mid"}}, rows);
        QCOMPARE(outcome.needs[0].at("runs")[0].at("captures")[2], Json("blocks.2.hook_resid_mid"));
        const auto expected = expected_logits(made, stream("blocks.2.hook_resid_mid", rows[0]), 1);
        compare(outcome.numbers("logit")[2], expected[3], 1e-5);
        QVERIFY(outcome.numbers("kl_to_final")[2] > 0);
    }

    void the_top_table_is_sorted_and_the_default_token_is_the_models_own() {
        const World made = world("rms");
        const Outcome outcome = run("lens", made, {{"top", 3}}, Json::array({row({5, 6, 7})}));
        const Json& top = outcome.find("top").at("value");
        QCOMPARE(top.size(), static_cast<std::size_t>(3 * layers));
        const auto own = own_logits(2);
        const auto best = std::max_element(own.begin(), own.end()) - own.begin();
        QCOMPARE(top[6].at("id"), Json(best));
        QCOMPARE(top[6].at("rank"), Json(0));
        QCOMPARE(top[6].at("layer"), Json(2));
        for (std::size_t i = 0; i < top.size(); ++i)
            if (i % 3 != 0) QVERIFY(top[i - 1].at("logit") >= top[i].at("logit"));
        QCOMPARE(outcome.find("token").at("value"),
                 Json::array({{{"row", 0}, {"position", 2}, {"id", best}}}));
        QCOMPARE(outcome.numbers("rank").back(), 0.0);
        compare(outcome.numbers("prob").back(), top[6].at("prob").get<double>(), 1e-12);
    }

    void rows_tokens_and_positions_have_axes() {
        const World made = world("rms");
        const Json rows = Json::array({row({5, 6, 7}), row({6, 7})});
        const Outcome outcome =
            run("lens", made, {{"token", Json({1, 2})}, {"position", "all"}, {"top", 0}}, rows);
        const Json& result = outcome.find("logit");
        std::vector<std::string> names;
        for (const Json& axis : result.at("axes"))
            names.push_back(axis.at("name"));
        QVERIFY((names == std::vector<std::string>{"row", "token", "layer", "position"}));
        QCOMPARE(result.at("lengths"), Json({3, 2}));
        const auto logit = outcome.numbers("logit");
        QCOMPARE(logit.size(), std::size_t{2 * 2 * 3 * 3});
        const auto first = expected_logits(made, stream("blocks.1.hook_resid_post", rows[0]), 2);
        compare(logit[9 + 3 + 2], first[2], 1e-5); // row 0, token 2, layer 1, position 2
        const auto second = expected_logits(made, stream("blocks.0.hook_resid_post", rows[1]), 1);
        compare(logit[18 + 1], second[1], 1e-5); // row 1, token 1, layer 0, position 1
        QVERIFY(std::isnan(logit[18 + 2]));
    }

    void lens_entropy_reads_every_position() {
        const World made = world("layer");
        const Json rows =
            Json::array({row({5, 6, 7, 8, 9, 10, 11, 12, 13, 14})}); // more than one group of positions
        const Outcome outcome = run("lens-entropy", made, Json(), rows);
        const auto entropy = outcome.numbers("entropy");
        const auto kl = outcome.numbers("kl_to_final");
        QCOMPARE(entropy.size(), std::size_t{layers * 10});
        QCOMPARE(outcome.find("entropy").at("axes")[1].at("labels")[2], Json("t7"));
        const auto top1 = outcome.numbers("top1"), margin = outcome.numbers("margin");
        for (int position = 0; position < 10; ++position) {
            auto p = softmax(expected_logits(made, stream("blocks.1.hook_resid_post", rows[0]), position));
            auto sorted = p;
            std::sort(sorted.rbegin(), sorted.rend());
            compare(top1[static_cast<std::size_t>(10 + position)], sorted[0], 1e-5);
            compare(margin[static_cast<std::size_t>(10 + position)], sorted[0] - sorted[1], 1e-5);
            compare(entropy[static_cast<std::size_t>(10 + position)], entropy_of(p), 1e-5);
            compare(kl[static_cast<std::size_t>(10 + position)],
                    kl_of(softmax(widened(own_logits(position))), p), 1e-5);
            compare(entropy[static_cast<std::size_t>(20 + position)],
                    entropy_of(softmax(widened(own_logits(position)))), 1e-5);
        }
    }

    void what_cannot_be_is_refused() {
        const World made = world("rms");
        const auto code = [&](const Json& parameters) {
            return run("lens", made, parameters, Json::array({row({5, 6})}))
                .error.at("code")
                .get<std::string>();
        };
        QCOMPARE(code({{"lens", "tuned"}}), std::string("unsupported"));
        QCOMPARE(code({{"translators", "lens"}}), std::string("usage"));
        const Json tuned{{"lens", "tuned"}, {"translators", "lens"}};
        for (const Json& more : {Json{{"hook", "resid_mid"}}, Json{{"coordinates", "folded"}}}) {
            Json parameters = tuned;
            parameters.update(more);
            QCOMPARE(code(parameters), std::string("unsupported"));
        }
        QCOMPARE(code({{"token", Json::array({vocab})}}), std::string("out-of-range"));
        QCOMPARE(code({{"position", 2}}), std::string("out-of-range"));
        QCOMPARE(code({{"position", -3}}), std::string("out-of-range"));
    }

    void a_rows_bits_do_not_depend_on_the_others() {
        const World made = world("layer");
        std::deque<Array> kept;
        std::vector<vitrine_array> arrays;
        for (const auto& [name, array] : made.weights) {
            kept.push_back(array);
            static std::deque<std::string> names;
            names.push_back("weights/" + name);
            arrays.push_back(
                {names.back().c_str(), VITRINE_F32, 2, kept.back().shape.data(), kept.back().data.data()});
        }
        const vitrine_message message{"{}", arrays.data(), arrays.size()};
        vitrine::sdk::ModelFacts facts;
        facts.norm = "layer";
        facts.d_model = width;
        const vitrine::analysis::Unembedding unembedding(facts, {Json::object(), message});
        const Array x = random_array({7, width}, 5);
        const auto together = unembedding.logits(x.data, 7);
        for (std::size_t r = 0; r < 7; ++r) {
            const auto begin = x.data.begin() + static_cast<std::ptrdiff_t>(r * width);
            const auto alone = unembedding.logits(std::vector<float>(begin, begin + width), 1);
            QVERIFY(std::equal(alone.begin(), alone.begin() + vocab,
                               together.begin() + static_cast<std::ptrdiff_t>(r * vocab)));
        }
    }
};

QTEST_GUILESS_MAIN(TestLens)
#include "test_lens.moc"
