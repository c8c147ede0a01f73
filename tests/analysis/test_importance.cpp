// Importance of tokens and spans where the next token's probability is known: token 9 becomes likely with
// every 5 in the prompt.
#include <cmath>

#include <QtTest>

#include "tests/analysis/drive.h"

using namespace drive;

namespace {

constexpr int vocab = 20;

double probability(const std::vector<int>& ids) {
    const auto fives = std::count(ids.begin(), ids.end(), 5);
    const double e = std::exp(2.0 * static_cast<double>(fives));
    return e / (e + vocab - 1);
}

Array capture(const std::string& hook, const Json& row) {
    const auto ids = row.at("ids").get<std::vector<int>>();
    const int length = length_of(row);
    if (hook.ends_with("hook_pattern")) // the same in both layers: half on itself, half on the first
        return pattern(2, length, [](int head, int query, int key) {
            if (query == 0) return 1.0;
            return key == query ? (head == 0 ? 0.5 : 0.25) : key == 0 ? (head == 0 ? 0.5 : 0.75) : 0.0;
        });
    const bool all = row.at("positions") == "all";
    Array logits{{all ? length : 1, vocab}, {}};
    for (int pos = all ? 0 : length - 1; pos < length; ++pos) {
        const std::vector<int> seen(ids.begin(), ids.begin() + pos + 1);
        for (int id = 0; id < vocab; ++id)
            logits.data.push_back(id == 9 ? 2.0F * static_cast<float>(std::count(seen.begin(), seen.end(), 5))
                                          : 0.0F);
    }
    return logits;
}

World world() { return {model(2, 2, {{"vocab", vocab}}), capture, {}, {}}; }

const std::vector<int> prompt{3, 5, 7, 5, 8, 4};

Outcome importance(Json parameters, const Json& rows = Json::array({row(prompt)})) {
    parameters["token"] = Json::array({9});
    return run("token-importance", world(), parameters, rows);
}

std::vector<int> without(std::vector<int> ids, int first, int end) {
    ids.erase(ids.begin() + first, ids.begin() + end);
    return ids;
}

} // namespace

class TestImportance : public QObject {
    Q_OBJECT
private slots:
    void leaving_one_out() {
        const auto found = importance({}).numbers("importance");
        for (int pos = 0; pos < 6; ++pos)
            compare(found[static_cast<std::size_t>(pos)],
                    probability(prompt) - probability(without(prompt, pos, pos + 1)));
    }

    void replacing_one() {
        const auto found = importance({{"change", "replace"}, {"filler", "token"}, {"filler_token", {5}}})
                               .numbers("importance");
        std::vector<int> more = prompt;
        more[0] = 5;
        compare(found[0], probability(prompt) - probability(more)); // another 5 helps: below 0
        QVERIFY(found[0] < 0);
        compare(found[1], 0);
    }

    void an_earlier_position() {
        const auto found = importance({{"position", 2}}).numbers("importance");
        const std::vector<int> seen(prompt.begin(), prompt.begin() + 3);
        compare(found[1], probability(seen) - probability(without(seen, 1, 2)));
        QVERIFY(std::isnan(found[3]));
        QCOMPARE(found.size(), std::size_t{6});
    }

    void one_token_alone_has_no_value() {
        const Outcome outcome = importance({}, Json::array({row({5})}));
        QVERIFY(std::isnan(outcome.numbers("importance")[0]));
    }

    void reagent_finds_what_matters() {
        for (const char* filler : {"random", "predicted"}) {
            const Outcome outcome = importance(
                {{"method", "reagent"}, {"filler", filler}, {"seed", 3}, {"steps", 200}, {"within", 0}});
            const auto found = outcome.numbers("importance");
            double sum = 0;
            for (const double share : found) {
                QVERIFY(share >= 0);
                sum += share;
            }
            compare(sum, 1);
            for (const std::size_t other : {0U, 2U, 4U, 5U})
                QVERIFY(found[1] > 3 * found[other] && found[3] > 3 * found[other]);
            const auto said = outcome.find("conditions").at("value").get<std::string>();
            for (const char* part : {"200 steps", "seed 3", "filler"})
                QVERIFY2(said.find(part) != std::string::npos, said.c_str());
        }
    }

    void reagent_ends_when_enough_is_known() {
        // Two of six tokens are kept: once they are the 5s, token 9 leads whatever else stands there.
        const Outcome outcome =
            importance({{"method", "reagent"}, {"seed", 3}, {"keep", 0.33}, {"within", 1}});
        const int steps = outcome.find("read").at("value")[0].at("steps").get<int>();
        QVERIFY2(steps % 5 == 0 && steps < 100, std::to_string(steps).c_str());
        double sum = 0;
        for (const double share : outcome.numbers("importance"))
            sum += share;
        compare(sum, 1);
        const auto said = outcome.find("conditions").at("value").get<std::string>();
        QVERIFY2(said.find(std::to_string(steps) + " steps") != std::string::npos, said.c_str());
    }

    void a_seed_decides() {
        const auto draw = [](int seed) {
            return importance({{"method", "reagent"}, {"seed", seed}, {"steps", 20}, {"within", 0}})
                .numbers("importance");
        };
        QCOMPARE(draw(1), draw(1));
        QVERIFY(draw(1) != draw(2));
    }

    void rollout_is_the_last_row_of_the_product() {
        const Json rows = Json::array({row(prompt)});
        const auto whole = run("attention-rollout", world(), {}, rows).numbers("rollout");
        const auto found = importance({{"method", "rollout"}, {"position", 4}}).numbers("importance");
        for (std::size_t key = 0; key < 5; ++key)
            compare(found[key], whole[36 + 4 * 6 + key]); // second layer, query 4
        QVERIFY(std::isnan(found[5]));
    }

    void what_needs_gradients_says_so() {
        for (const char* method : {"gradient-x-input", "integrated-gradients"}) {
            const Json error = importance({{"method", method}}).error;
            QCOMPARE(error.at("code").get<std::string>(), std::string("unsupported"));
            QVERIFY(error.at("message").get<std::string>().find("backward pass") != std::string::npos);
        }
    }

    void spans() {
        const Json rows = Json::array({row(prompt)});
        Json parameters{{"token", {9}}, {"spans", "0:2,2:4"}};
        auto found = run("span-importance", world(), parameters, rows).numbers("importance");
        QCOMPARE(found.size(), std::size_t{2});
        compare(found[0], probability(prompt) - probability(without(prompt, 0, 2)));
        // A shuffle keeps every 5; replacements may not.
        parameters["change"] = "shuffle";
        found = run("span-importance", world(), parameters, rows).numbers("importance");
        compare(found[0], 0);
        parameters["change"] = "corrupt";
        found = run("span-importance", world(), parameters, rows).numbers("importance");
        QVERIFY(found[0] > 0.1);
    }

    void spans_end_with_separators() {
        Json marked = row({0, 3, 5, 6, 7, 6, 8});
        marked["tokens"] = {"<s>", "a", "b", ".\n", "c", "\n", "d"};
        const Outcome outcome = run("span-importance", world(), {{"token", {9}}}, Json::array({marked}));
        const Json& table = outcome.find("spans").at("value");
        QCOMPARE(table.size(), std::size_t{2});
        QCOMPARE(table[0].at("first").get<int>(), 1); // the special token stays
        QCOMPARE(table[0].at("end").get<int>(), 4);
        QCOMPARE(table[1].at("end").get<int>(), 6);
        compare(table[0].at("importance").get<double>(), probability({5}) - probability({1}));
    }

    void wrong_spans_are_refused() {
        for (const char* spans : {"3", "2:1", "0:7", "a:b", "0:6"}) {
            const Json error = run("span-importance", world(), {{"token", {9}}, {"spans", spans}},
                                   Json::array({row(prompt)}))
                                   .error;
            QVERIFY2(error.is_object() && error.at("code") == "usage", spans);
        }
    }
};

QTEST_GUILESS_MAIN(TestImportance)
#include "test_importance.moc"
