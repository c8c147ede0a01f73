// Analyses of sinks against closed forms, through the C interface.
#include <cmath>

#include <QtTest>

#include "core/analysis/streaming_heads.h"
#include "tests/analysis/drive.h"

using namespace drive;
using vitrine::analysis::read_alphas;

namespace {

World world_of(int heads, const Capture& capture) { return {model(1, heads), capture, {}, {}}; }

} // namespace

class TestSinks : public QObject {
    Q_OBJECT
private slots:
    void rate_with_and_without_bos_side_by_side() {
        // The head looks at a BOS (id 0) and nowhere else; without one it spreads evenly.
        const World world = world_of(1, [](const std::string&, const Json& row) {
            const bool bos = row.at("ids")[0] == 0;
            return pattern(1, length_of(row), [bos](int, int query, int key) {
                return bos ? (key == 0 ? 1.0 : 0.0) : 1.0 / (query + 1);
            });
        });
        const Outcome outcome = run("sink-rate", world, {{"bos", "both"}}, plain_rows({64, 70}));
        compare(outcome.numbers("sink_rate").front(), 0);
        compare(outcome.numbers("with_bos").front(), 100);
        compare(outcome.numbers("without_bos").front(), 0);
        compare(outcome.numbers("alpha_with_bos").front(), 1);
        compare(outcome.numbers("alpha_without_bos").front(), (harmonic(64) / 64 + harmonic(70) / 70) / 2);
        World without = world;
        without.model["bos"] = nullptr;
        QCOMPARE(run("sink-rate", without, {{"bos", "both"}}, plain_rows({64})).error.at("code"),
                 Json("unsupported"));
    }

    void rows_are_cut_to_the_length_asked_for() {
        const World world = world_of(1, [](const std::string&, const Json& row) {
            return pattern(1, length_of(row), [](int, int query, int) { return 1.0 / (query + 1); });
        });
        const Outcome cut = run("sink-rate", world, {{"length", 64}, {"bos", "both"}}, plain_rows({80}));
        for (const char* name : {"alpha", "alpha_with_bos", "alpha_without_bos"})
            compare(cut.numbers(name).front(), harmonic(64) / 64);
        const Outcome brief = run("sink-rate", world, {{"bos", "both"}}, plain_rows({63}));
        QVERIFY(std::isnan(brief.numbers("sink_rate").front()));
        compare(brief.numbers("with_bos").front(), 0); // 64 tokens with it
        QVERIFY(std::isnan(brief.numbers("without_bos").front()));
    }

    void norms_at_the_sink_and_beside_it() {
        // One layer, d_model 4; token 0 is 100 times as long, its value a tenth of the others'.
        const World world = world_of(2, [](const std::string& hook, const Json& row) {
            const int length = length_of(row);
            if (hook == "blocks.0.hook_resid_*") // a glob: the model has no resid_mid
                return Array{{0}, {}};
            const bool heads = hook.find("attn") != std::string::npos;
            Array array{
                heads ? std::vector<std::int64_t>{length, 2, 2} : std::vector<std::int64_t>{length, 4}, {}};
            for (int pos = 0; pos < length; ++pos)
                for (int i = 0; i < 4; ++i) {
                    const float size = hook.ends_with("hook_v") ? (pos == 0 ? 0.1F : 1) : pos == 0 ? 100 : 1;
                    array.data.push_back(size * static_cast<float>(heads ? (i < 2 ? 3 : 4) : 2));
                }
            return array;
        });
        const Outcome outcome =
            run("sink-norms", world, {{"magnitude", 150}, {"ratio", 50}}, plain_rows({5}));
        compare(outcome.numbers("resid_post")[0], 400);
        compare(outcome.numbers("resid_post")[4], 4);
        compare(outcome.numbers("key")[0], 300 * std::sqrt(2.0), 1e-4);
        compare(outcome.numbers("value")[5], 0.4 * std::sqrt(2.0)); // head 1, token 0
        const Json layer = outcome.find("layers").at("value")[0];
        compare(layer.at("resid_post_ratio").get<double>(), 100);
        compare(layer.at("value_ratio").get<double>(), 0.1);
        compare(layer.at("value_others").get<double>(), 3.5 * std::sqrt(2.0));
        const Json massive = outcome.find("massive").at("value");
        QCOMPARE(massive.size(), std::size_t{4});
        QCOMPARE(massive[3].at("dimension"), Json(3));
        compare(massive[0].at("times_median").get<double>(), 100);
        for (const Json& result : outcome.results)
            QVERIFY(result.at("name") != "resid_mid");
        QCOMPARE(run("sink-norms", world, {{"magnitude", 250}}, plain_rows({5}))
                     .find("massive")
                     .at("value")
                     .size(),
                 std::size_t{0});
    }

    void a_key_bias_is_told_from_what_depends_on_the_query() {
        // Head 0: every query scores the sink 3 above all others. Head 1: 1 above and 5 above in turn.
        const World world = world_of(2, [](const std::string& hook, const Json& row) {
            if (hook != "blocks.0.attn.hook_attn_scores") throw std::runtime_error(hook);
            const int length = length_of(row);
            Array scores = pattern(2, length, [](int head, int query, int key) {
                const double margin = head == 0 ? 3 : query % 2 == 0 ? 1 : 5;
                return query + (key == 0 ? margin : 0); // what is added to a whole row changes nothing
            });
            for (int h = 0; h < 2; ++h)
                for (int q = 0; q < length; ++q)
                    for (int k = q + 1; k < length; ++k)
                        scores.data[static_cast<std::size_t>((h * length + q) * length + k)] = -INFINITY;
            return scores;
        });
        const Outcome outcome = run("sink-key-bias", world, {}, plain_rows({21}));
        compare(outcome.numbers("bias")[0], 3);
        compare(outcome.numbers("deviation")[0], 0);
        compare(outcome.numbers("share")[0], 1);
        compare(outcome.numbers("alpha")[0], outcome.numbers("alpha_of_bias")[0]);
        compare(outcome.numbers("bias")[1], 3);
        compare(outcome.numbers("deviation")[1], 2);
        compare(outcome.numbers("share")[1], 9.0 / 13);
        double alpha = 0, of_bias = 0; // query q sees q others, all equal
        for (int q = 1; q <= 20; ++q) {
            const double margin = q % 2 == 0 ? 1 : 5;
            alpha += std::exp(margin) / (std::exp(margin) + q) / 20;
            of_bias += std::exp(3) / (std::exp(3) + q) / 20;
        }
        compare(outcome.numbers("alpha")[1], alpha);
        compare(outcome.numbers("alpha_of_bias")[1], of_bias);
        compare(outcome.numbers("score")[0], 10.5 + 3, 1e-5);
        QCOMPARE(run("sink-key-bias", world, {}, plain_rows({2})).error.at("code"), Json("out-of-range"));
    }

    void alphas_are_a_table_of_layers_and_key_heads() {
        QCOMPARE(read_alphas("0.5\t1\n0 0.25\n", 2, 2), (std::vector<double>{0.5, 1, 0, 0.25}));
        QCOMPARE(read_alphas("1,2\r\n3,4", 2, 2), (std::vector<double>{1, 2, 3, 4}));
        for (const char* wrong : {"1 2\n3\n", "1 2\n", "1 2\n3 x\n", "", "1 2\n3 4\n5 6\n", "nan 1\n2 3\n"})
            QVERIFY2(read_alphas(wrong, 2, 2).empty(), wrong);
    }

    void hidden_sinks_leave_the_first_out() {
        // Of ten tokens: half on key 0, and from key 3 on half on key 3; head 1 on key 3 alone, so that is
        // its first.
        const World world = world_of(2, [](const std::string&, const Json& row) {
            return pattern(2, length_of(row), [](int head, int query, int key) {
                if (query < 3) return key == 0 ? 1.0 : 0.0;
                if (head == 1) return key == 3 ? 1.0 : 0.0;
                return key == 0 || key == 3 ? 0.5 : 0.0;
            });
        });
        // Head 1's key 0 has (1 + 1 + 1)/10 = 0.3: above 0.1, not above 0.3.
        const Outcome both = run("sink-hidden", world, {}, plain_rows({10}));
        compare(both.numbers("heads")[3], 2);
        compare(both.numbers("hidden")[0], 1);
        compare(both.numbers("hidden")[1], 1);
        const Outcome strict = run("sink-hidden", world, {{"threshold", 0.31}}, plain_rows({10}));
        compare(strict.numbers("heads")[3], 1); // of head 1 it is the first
        const Json sink = strict.find("sinks").at("value")[0];
        QCOMPARE(sink.at("head"), Json(0));
        QCOMPARE(sink.at("key"), Json(3));
        QCOMPARE(sink.at("queries"), Json(7));
        compare(sink.at("alpha").get<double>(), 0.5);
        compare(sink.at("uniform").get<double>(), (harmonic(10) - harmonic(3)) / 7);
        const Json secondary = both.find("secondary").at("value");
        QCOMPARE(secondary.size(), std::size_t{1});
        QCOMPARE(secondary[0].at("key"), Json(3));
        QCOMPARE(secondary[0].at("heads"), Json(2));
        compare(secondary[0].at("share").get<double>(), 100);
        QCOMPARE(secondary[0].at("head"), Json(1));
        // 7 queries see key 3.
        compare(run("sink-hidden", world, {{"min_queries", 8}}, plain_rows({10})).numbers("heads")[3], 0);
    }
};

QTEST_GUILESS_MAIN(TestSinks)
#include "test_sinks.moc"
