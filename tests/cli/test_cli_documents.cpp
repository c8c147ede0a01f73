// The builders of documents and what stands before them, without a device.
#include <QtTest>

#include <cmath>
#include <limits>

#include "app/cli/arguments.h"
#include "app/cli/bench_specs.h"
#include "app/cli/capture_file.h"
#include "app/cli/documents.h"
#include "app/cli/flop.h"
#include "app/cli/result_documents.h"
#include "app/cli/run_documents.h"
#include "app/cli/table.h"
#include "core/model/shapes.h"
#include "core/run/batch.h"

using namespace vitrine;
using namespace vitrine::cli;

class TestCliDocuments : public QObject {
    Q_OBJECT
private slots:
    void texts_stay_as_they_were_typed() {
        const Arguments taken = take_texts({"run", "m", "--prompt", "[1, 2]", "--prompt=\"a\"=b", "--prompt",
                                            "--json", "--top", "3", "--ids", "-1"});
        QVERIFY(taken.words == (std::vector<std::string>{"run", "m", "--prompt=@0", "--prompt=@1",
                                                         "--prompt=@2", "--top", "3", "--ids=@3"}));
        QVERIFY(taken.texts == (std::vector<std::string>{"[1, 2]", "\"a\"=b", "--json", "-1"}));
        QVERIFY(!taken.json); // that --json is a prompt
        QCOMPARE(taken.text_of("@2"), std::string("--json"));
    }

    void json_is_seen_in_a_wrong_line() {
        QVERIFY(take_texts({"nonsense", "--json", "--quiet"}).json);
        QVERIFY(take_texts({"nonsense", "--json", "--quiet"}).quiet);
        QVERIFY(take_texts({"run", "--prompt"}).words == (std::vector<std::string>{"run", "--prompt"}));
    }

    void cells_have_three_digits() {
        QCOMPARE(cell(0.123456), std::string("0.123"));
        QCOMPARE(cell(1846.2), std::string("1,850"));
        QCOMPARE(cell(-99999.0), std::string("-100,000"));
        QCOMPARE(cell(1e-12), std::string("1e-12"));
        QCOMPARE(cell(1234567), std::string("1,234,567"));
        QCOMPARE(cell(-1234), std::string("-1,234"));
        QCOMPARE(cell(nullptr), std::string("-"));
        QCOMPARE(cell("a\nb\x01"), std::string("a\\nb\\x01"));
        QCOMPARE(token_cell(" a b \n"), std::string("·a b \\n"));
        QCOMPARE(token_cell("  "), std::string("··"));
        QCOMPARE(bytes_text(7400000), std::string("7.4 MB"));
        QCOMPARE(bytes_text(12), std::string("12 B"));
    }

    void tables_are_aligned() {
        Table table({"token", "id"});
        table.add({"é", 5});
        table.add({"ship", 1234});
        QCOMPARE(table.text(), std::string("token     id\né          5\nship   1,234\n"));
    }

    void auto_prefers_hardware() {
        const backend::DeviceInfo cpu{"cpu", "a processor", "", "", backend::DeviceType::cpu, 1, {}};
        const backend::DeviceInfo software{
            "vulkan:0", "lavapipe", "", "Vulkan 1.3", backend::DeviceType::software, 1, {}};
        const backend::DeviceInfo card{
            "vulkan:1", "a card", "", "Vulkan 1.3", backend::DeviceType::discrete, 1, {{"x", "y"}}};
        QCOMPARE(devices_document({cpu, software})["auto"].get<std::string>(), std::string("cpu"));
        const Json document = devices_document({cpu, software, card});
        QCOMPARE(document["auto"].get<std::string>(), std::string("vulkan:1"));
        QCOMPARE(document["devices"][2]["type"].get<std::string>(), std::string("discrete"));
        QCOMPARE(document["devices"][2]["features"]["x"].get<std::string>(), std::string("y"));
    }

    void results_are_nested_by_axis() {
        engine::ResultValue result;
        result.name = "alpha";
        result.kind = "matrix";
        result.axes = {{"layer", 2, {}}, {"head", 3, {"a", "b", "c"}}};
        result.data = {0, 1, 2, 3, std::numeric_limits<double>::quiet_NaN(), 5};
        const Json document = result_document(result);
        QCOMPARE(document["data"].dump(), std::string("[[0.0,1.0,2.0],[3.0,null,5.0]]"));
        QVERIFY(document["axes"][0]["labels"].is_null());
        QCOMPARE(document["axes"][1]["labels"][2].get<std::string>(), std::string("c"));
    }

    void a_number_and_a_table() {
        engine::ResultValue value;
        value.name = "rate";
        value.kind = "number";
        value.data = {12.5};
        QCOMPARE(result_document(value)["data"].dump(), std::string("12.5"));
        engine::ResultValue table;
        table.name = "top";
        table.kind = "table";
        table.json = Json::array({Json{{"id", 1}}});
        QCOMPARE(result_document(table)["data"].dump(), std::string("[{\"id\":1}]"));
    }

    void floats_read_back_exactly() {
        const float value = 0.1F;
        const Json back = Json::parse(dump_json(Json{{"x", number(value)}}));
        QVERIFY(static_cast<float>(back["x"].get<double>()) == value);
        QVERIFY(number(std::numeric_limits<double>::infinity()).is_null());
    }

    void divergence_of_two_rows() {
        // p = (3/4, 1/4), q = (1/2, 1/2): KL = 3/4 ln 3/2 + 1/4 ln 1/2.
        const float clean[] = {std::log(3.0F), 0.0F};
        const float other[] = {7.0F, 7.0F};
        QVERIFY(std::abs(kl_divergence(clean, other, 2) - (0.75 * std::log(1.5) + 0.25 * std::log(0.5))) <
                1e-7);
        QCOMPARE(kl_divergence(clean, clean, 2), 0.0);
    }

    void generated_captures_are_stacked_by_query() {
        run::GeneratedRow row;
        row.steps.resize(2);
        row.steps[0].captures = {{"blocks.0.attn.hook_pattern",
                                  {"head", "query", "key"},
                                  Tensor({2, 1, 2}, {0.1F, 0.9F, 0.2F, 0.8F})},
                                 {"blocks.0.hook_resid_post", {"pos", "d_model"}, Tensor({1, 2}, {1, 2})}};
        row.steps[1].captures = {{"blocks.0.attn.hook_pattern",
                                  {"head", "query", "key"},
                                  Tensor({2, 1, 3}, {0.3F, 0.3F, 0.4F, 0.5F, 0.25F, 0.25F})},
                                 {"blocks.0.hook_resid_post", {"pos", "d_model"}, Tensor({1, 2}, {3, 4})}};
        const auto stacked = stacked_captures(row);
        QCOMPARE(stacked.size(), std::size_t{2});
        QVERIFY(stacked[0].tensor.shape == (Shape{2, 2, 3}));
        QVERIFY(stacked[0].tensor.data ==
                (std::vector<float>{0.1F, 0.9F, 0, 0.3F, 0.3F, 0.4F, 0.2F, 0.8F, 0, 0.5F, 0.25F, 0.25F}));
        QVERIFY(stacked[1].tensor.shape == (Shape{2, 2}));
        QVERIFY(stacked[1].tensor.data == (std::vector<float>{1, 2, 3, 4}));
    }

    void operations_are_counted() {
        // GPT-2 small, one token: 2 · (12 · 7077888 matrix entries + 768 · 50257) + 4 · 768 · 12.
        const auto model = model::shape_model("gpt2-small");
        QVERIFY(model.has_value());
        const auto flop = [&](const run::RunSpec& spec) {
            const auto built = run::plan_run(*model, spec);
            return built ? flop_of(built->plan, *model) : 0;
        };
        constexpr std::uint64_t matrices = 2 * std::uint64_t{7077888};
        constexpr std::uint64_t unembed = std::uint64_t{2} * 768 * 50257;
        QCOMPARE(flop(forward_spec(model->spec, 1, false)), 12 * matrices + unembed + 4 * 768 * 12);
        // Two tokens: the second sees two keys. Of the first the last layer's keys and values alone are read,
        // a sixth of its matrices, unless everything is captured.
        QCOMPARE(flop(forward_spec(model->spec, 2, true)), 2 * 12 * matrices + unembed + 4 * 768 * 12 * 3);
        QCOMPARE(flop(forward_spec(model->spec, 2, false)),
                 23 * matrices + matrices / 6 + unembed + 4 * 768 * (11 * 3 + 2));
    }
};

QTEST_GUILESS_MAIN(TestCliDocuments)
#include "test_cli_documents.moc"
