// The host of analyses: parameters, the step loop, and what it says of analyses that misbehave.
#include <cmath>
#include <deque>

#include <QtTest>

#include "core/engine/analysis_host.h"
#include "core/engine/analysis_parameters.h"
#include "core/engine/analysis_registry.h"
#include "core/sdk/analysis.h"

using namespace vitrine;
using namespace vitrine::engine;

namespace {

const Json example = Json::parse(R"({
  "id":"example","title":"Example","summary":"","citation":"","prompts":"required",
  "parameters":[
    {"name":"share","type":"number","default":0.5,"min":0,"max":1,"choices":null,"doc":""},
    {"name":"count","type":"integer","default":3,"min":1,"max":null,"choices":null,"doc":""},
    {"name":"flag","type":"boolean","default":false,"min":null,"max":null,"choices":null,"doc":""},
    {"name":"kind","type":"choice","default":"a","min":null,"max":null,"choices":["a","b"],"doc":""},
    {"name":"label","type":"text","default":"","min":null,"max":null,"choices":null,"doc":""},
    {"name":"names","type":"list","default":[],"min":null,"max":null,"choices":null,"doc":""},
    {"name":"position","type":"positions","default":-1,"min":null,"max":null,"choices":null,"doc":""},
    {"name":"token","type":"tokens","default":null,"min":null,"max":null,"choices":null,"doc":""}],
  "results":[{"name":"value","kind":"number"},{"name":"rows","kind":"table"}]})");

Result<std::int32_t> token_of(std::string_view text) {
    if (text == " ship") return 7;
    if (text == "a,b") return 8;
    return fail(Code::usage, "The text is not one token.");
}

Json checked(const char* name, const Json& value) {
    auto result = check_parameters(example, {{name, value}}, token_of);
    return result ? result->at(name) : Json("refused: " + result.error().message);
}

std::string refused(const Json& given, Code code) {
    const auto result = check_parameters(example, given, token_of);
    if (result) return "not refused";
    if (result.error().code != code) return "another code: " + std::string(code_name(result.error().code));
    return result.error().message;
}

/// An analysis whose first and second step send what the test says.
struct Script {
    std::deque<std::string> messages;
    std::vector<std::string> received;
    int status = 0;
    bool throws = false;
};
Script script;

vitrine_analysis scripted(const std::string& manifest) {
    static std::deque<std::string> kept;
    kept.push_back(manifest);
    return {VITRINE_ABI_VERSION, kept.back().c_str(), []() -> void* { return new int(0); },
            [](void*, const vitrine_message* in, const vitrine_sink* out) {
                script.received.emplace_back(in->json);
                if (script.throws) throw 5;
                if (script.messages.empty()) return script.status;
                // Several messages of one step are divided by '|'.
                std::string all = script.messages.front();
                script.messages.pop_front();
                for (std::size_t at = 0; at != std::string::npos;) {
                    const std::size_t bar = all.find('|', at);
                    const std::string text = all.substr(at, bar == std::string::npos ? bar : bar - at);
                    const double number = 2.5;
                    const vitrine_array array{"x", VITRINE_F64, 0, nullptr, &number};
                    const vitrine_message message{text.c_str(), &array, 1};
                    out->send(out->context, &message);
                    at = bar == std::string::npos ? bar : bar + 1;
                }
                return script.status;
            },
            [](void* state) { delete static_cast<int*>(state); }};
}

const std::string weights_need =
    R"({"need":{"runs":[],"generations":[],"weights":["W_E","none"]},"progress":0.5})";
const std::string done =
    R"({"done":{"results":[{"name":"value","kind":"number","axes":[],"array":"x"},
        {"name":"rows","kind":"table","axes":[],"value":[{"id":4},{"id":5,"token":"own"}]}]}})";

class Fixture {
public:
    Fixture() {
        model.spec.layers = 2;
        model.spec.heads = 1;
        model.spec.kv_heads = 1;
        weight = {1, 2, 3, 4};
        model.add({"W_E", reinterpret_cast<const std::byte*>(weight.data()), DType::f32, 2, 2, 2, 1});
        services.model = &model;
        services.bos = 0;
        services.run = [this](const run::RunSpec& spec) -> Result<run::RunResult> {
            specs.push_back(spec);
            if (on_run) on_run();
            run::RunResult result;
            for (const run::RunRow& row : spec.rows) {
                const auto length = static_cast<std::int64_t>(row.ids.size());
                result.rows.emplace_back();
                for (const std::string& hook : spec.captures) {
                    Tensor pattern({1, length, length});
                    for (std::int64_t q = 0; q < length; ++q)
                        for (std::int64_t k = 0; k <= q; ++k)
                            pattern.data[static_cast<std::size_t>(q * length + k)] =
                                1.0F / static_cast<float>(q + 1);
                    result.rows.back().captures.push_back(
                        {hook, {"head", "query", "key"}, std::move(pattern)});
                }
            }
            return result;
        };
        services.token_text = [](std::int32_t id) { return "t" + std::to_string(id); };
    }

    Result<std::vector<ResultValue>> run(const std::string& id, const Json& given) {
        const auto analysis = find_analysis(id);
        if (!analysis) return tl::unexpected(analysis.error());
        VITRINE_ASSIGN(const Json parameters, check_parameters((*analysis)->manifest, given, {}));
        return run_analysis(**analysis, parameters, rows, services, cancel, {});
    }

    /// Runs the scripted analysis; one message a step.
    Result<std::vector<ResultValue>> run(std::deque<std::string> messages) {
        script = {};
        script.messages = std::move(messages);
        return again();
    }
    Result<std::vector<ResultValue>> again() {
        const vitrine_analysis table = scripted(example.dump());
        const RegisteredAnalysis analysis{&table, example};
        return run_analysis(analysis, Json::object(), rows, services, cancel,
                            [this](double share, const std::string& what) {
                                progress.push_back({share, what});
                            });
    }

    std::vector<float> weight;
    model::Model model;
    AnalysisServices services;
    std::vector<run::RunRow> rows = {{{0, 1, 2}, {true, false, false}}};
    std::vector<run::RunSpec> specs;
    std::function<void()> on_run;
    CancelToken cancel;
    std::vector<std::pair<double, std::string>> progress;
};

void fails(const Result<std::vector<ResultValue>>& result, Code code, const std::string& part) {
    QVERIFY(!result);
    QVERIFY2(result.error().code == code, result.error().message.c_str());
    QVERIFY2(result.error().message.find(part) != std::string::npos, result.error().message.c_str());
}

} // namespace

class TestAnalysisHost : public QObject {
    Q_OBJECT
private slots:
    void parameters_are_converted_to_their_types() {
        QCOMPARE(checked("share", "0.25"), Json(0.25));
        QCOMPARE(checked("share", 1), Json(1.0));
        QCOMPARE(checked("count", "12"), Json(12));
        QCOMPARE(checked("flag", "true"), Json(true));
        QCOMPARE(checked("kind", "b"), Json("b"));
        QCOMPARE(checked("names", "x,y"), Json({"x", "y"}));
        QCOMPARE(checked("position", "all"), Json("all"));
        QCOMPARE(checked("position", "-2"), Json(-2));
        QCOMPARE(checked("position", "1,4:6,-1"), Json({1, 4, 5, -1}));
        QCOMPARE(checked("position", "-3:0"), Json({-3, -2, -1}));
        QCOMPARE(checked("position", Json({2, 3})), Json({2, 3}));
        QCOMPARE(checked("token", "5,6"), Json({5, 6}));
        QCOMPARE(checked("token", " ship"), Json::array({7}));
        QCOMPARE(checked("token", "a,b"), Json::array({8}));
        QCOMPARE(checked("token", Json({" ship", 3})), Json({7, 3}));
        QCOMPARE(checked("token", nullptr), Json());
    }

    void a_checkpoint_is_gone_to_once_and_left_again() {
        Fixture bench;
        std::vector<std::string> visits;
        bench.services.checkpoints = {{"step-1", 1, {}}, {"step-2", 2, {}}};
        bench.services.at_checkpoint = [&](const std::string& name) -> Result<std::string> {
            visits.push_back(name);
            return "hash of " + name;
        };
        const auto need = [](const std::string& checkpoint) {
            Json out = Json::parse(R"({"need":{"runs":[{"rows":[{"ids":[1],"special":[false]}],"captures":[],
                "edits":[],"positions":"last","top":0,"loss":false,"logits":false}],"generations":[],
                "weights":[]}})");
            if (!checkpoint.empty()) out["need"]["checkpoint"] = checkpoint;
            return out.dump();
        };
        const std::string done =
            R"({"done":{"results":[{"name":"value","kind":"number","axes":[],"array":"x"}]}})";
        QVERIFY(bench.run({need("step-2"), need("step-2"), need("step-1"), need(""), done}));
        QVERIFY((visits == std::vector<std::string>{"step-2", "step-1", ""}));
        QVERIFY(
            script.received[1].find(R"("checkpoint":{"name":"step-2","weights_hash":"hash of step-2"})") !=
            std::string::npos);
        QVERIFY(script.received[4].find("\"checkpoint\"") == std::string::npos);
        fails(bench.run({need("step-3")}), Code::internal, "checkpoint \"step-3\", which does not exist");
        Json weights = Json::parse(need("step-1"));
        weights["need"]["weights"] = {"unembed.W_U"};
        fails(bench.run({weights.dump()}), Code::unsupported, "weights of a checkpoint");
    }

    void defaults_are_filled_in() {
        const auto all = check_parameters(example, Json(), token_of);
        QVERIFY(all);
        QCOMPARE(all->size(), std::size_t{8});
        QCOMPARE(all->at("share"), Json(0.5));
        QCOMPARE(all->at("token"), Json());
    }

    void wrong_parameters_are_one_sentence() {
        QCOMPARE(
            refused({{"shares", 1}}, Code::usage),
            std::string("example has no parameter shares; it has share, count, flag, kind, label, names, "
                        "position, token."));
        QCOMPARE(refused({{"share", "abc"}}, Code::usage),
                 std::string("Parameter share of example must be a number, not \"abc\"."));
        QCOMPARE(refused({{"share", "1.5"}}, Code::out_of_range),
                 std::string("Parameter share of example must be between 0 and 1, not 1.5."));
        QCOMPARE(refused({{"share", "nan"}}, Code::usage),
                 std::string("Parameter share of example must be a number, not \"nan\"."));
        QCOMPARE(refused({{"share", nullptr}}, Code::usage),
                 std::string("Parameter share of example must be a number, not null."));
        QCOMPARE(refused({{"count", 0}}, Code::out_of_range),
                 std::string("Parameter count of example must be at least 1, not 0."));
        QCOMPARE(refused({{"count", 2.5}}, Code::usage),
                 std::string("Parameter count of example must be a whole number, not 2.5."));
        QCOMPARE(refused({{"count", "99999999999"}}, Code::out_of_range),
                 std::string("Parameter count of example is too large: 99999999999."));
        QCOMPARE(refused({{"flag", "maybe"}}, Code::usage),
                 std::string("Parameter flag of example must be true or false, not \"maybe\"."));
        QCOMPARE(refused({{"kind", "c"}}, Code::out_of_range),
                 std::string("Parameter kind of example must be one of a, b, not \"c\"."));
        QCOMPARE(
            refused({{"position", "x"}}, Code::usage),
            std::string("Parameter position of example must be all, a position, or a list such as 1,4 or "
                        "2:5, not \"x\"."));
        QCOMPARE(refused({{"token", "two tokens"}}, Code::usage), std::string("The text is not one token."));
        QCOMPARE(refused({{"token", -1}}, Code::out_of_range),
                 std::string("Parameter token of example: there is no token -1."));
        QCOMPARE(refused(Json::array(), Code::usage),
                 std::string("The parameters of example must be an object."));
        for (const char* range : {"2:2", "-1:3", "5:-1", "0:2000000000", "1:", ":"})
            QVERIFY(refused({{"position", range}}, Code::usage).starts_with("Parameter position"));
    }

    void a_built_in_analysis_runs_to_its_result() {
        Fixture fixture;
        const auto results = fixture.run("head-entropy", {{"normalise", "true"}});
        QVERIFY2(results, results ? "" : results.error().message.c_str());
        QCOMPARE(results->front().name, std::string("entropy"));
        const ResultValue& entropy = results->front();
        QCOMPARE(entropy.axes.size(), std::size_t{2});
        QVERIFY(std::abs(entropy.data[1] - 1.0) < 1e-6);
        QCOMPARE(fixture.specs.size(), std::size_t{1});
        QVERIFY((fixture.specs[0].rows[0].special == std::vector<bool>{true, false, false}));
        QCOMPARE(data_to_json(entropy).size(), std::size_t{2});
    }

    void every_manifest_is_complete() {
        const Json all = manifests();
        QVERIFY(all.size() >= 4);
        for (const Json& manifest : all) {
            QVERIFY(!manifest["summary"].get<std::string>().empty());
            QVERIFY(!manifest["citation"].get<std::string>().empty());
            QVERIFY(!manifest["results"].empty());
            for (const Json& parameter : manifest["parameters"])
                QVERIFY(!parameter["doc"].get<std::string>().empty());
            QVERIFY(check_parameters(manifest, Json(), {}));
        }
        fails(find_analysis("nothing").map([](auto) { return std::vector<ResultValue>(); }), Code::not_found,
              "There is no analysis \"nothing\"; there are attention");
        // Ids of the public interface that wait for a mechanism.
        for (const char* id : {"edge-attribution", "acdc", "features", "flow-routes"})
            fails(find_analysis(id).map([](auto) { return std::vector<ResultValue>(); }), Code::unsupported,
                  "this version");
    }

    void a_need_is_served_and_tables_get_their_tokens() {
        Fixture fixture;
        const auto results = fixture.run({weights_need, done});
        QVERIFY2(results, results ? "" : results.error().message.c_str());
        QCOMPARE(results->at(0).data.front(), 2.5);
        QCOMPARE(results->at(1).json, Json::parse(R"([{"id":4,"token":"t4"},{"id":5,"token":"own"}])"));
        QCOMPARE(Json::parse(script.received[0])["rows"][0]["tokens"], Json({"t0", "t1", "t2"}));
        QCOMPARE(Json::parse(script.received[1])["call"], Json("answer"));
        QCOMPARE(fixture.progress.front().first, 0.5);
        QCOMPARE(fixture.progress.front().second, std::string("Example"));
    }

    void rows_keep_what_their_file_says() {
        Fixture fixture;
        fixture.rows[0].marks = {{4, 5}, {6}, -2, "clean"};
        fixture.rows.push_back({{3}, {}, {}});
        QVERIFY(fixture.run({weights_need, done}));
        const Json rows = Json::parse(script.received[0])["rows"];
        QCOMPARE(rows[0]["answer"], Json({4, 5}));
        QCOMPARE(rows[0]["position"], Json(-2));
        for (const char* name : {"answer", "distractor", "position", "role"})
            QVERIFY(!rows[1].contains(name));
        Json message = Json::parse(script.received[0]);
        message["model"]["matrices"] = Json::array();
        const sdk::Start start = sdk::Start::parse(message);
        QVERIFY((start.rows[0].answer == std::vector<std::int32_t>{4, 5}));
        QVERIFY((start.rows[0].distractor == std::vector<std::int32_t>{6}));
        QCOMPARE(start.rows[0].position.value(), -2);
        QCOMPARE(start.rows[0].role, std::string("clean"));
        QVERIFY(start.rows[1].answer.empty() && !start.rows[1].position && start.rows[1].role.empty());
    }

    void misbehaving_analyses_are_named() {
        Fixture fixture;
        fails(fixture.run({"{}"}), Code::internal, "The analysis example failed: a message is neither");
        fails(fixture.run({"nonsense"}), Code::internal, "not a JSON object");
        fails(fixture.run({R"({"need":{}})"}), Code::internal,
              "The analysis example failed: a message is not as");
        fails(fixture.run({R"({"need":{"runs":[],"generations":[],"weights":[]}})"}), Code::internal,
              "asked for nothing");
        fails(fixture.run({R"({"need":{"corpus":1}})"}), Code::unsupported, "corpus");
        fails(fixture.run({done + "|" + done}), Code::internal, "sent two answers");
        fails(fixture.run({weights_need}), Code::internal, "sent nothing");
        fails(
            fixture.run({R"({"done":{"results":[{"name":"other","kind":"number","axes":[],"array":"x"}]}})"}),
            Code::internal, "does not list the result other");
        fails(
            fixture.run({R"({"done":{"results":[{"name":"value","kind":"number","axes":[],"array":"y"}]}})"}),
            Code::internal, "the array y of value is missing");
        fails(
            fixture.run({R"({"done":{"results":[{"name":"value","kind":"number","axes":[{"name":"a","size":2,
              "labels":[]}],"array":"x"}]}})"}),
            Code::internal, "not of the shape of its axes");
        fails(fixture.run({R"({"error":{"code":"internal","message":"out of luck"}})"}), Code::internal,
              "The analysis example failed: out of luck.");
        script = {};
        script.status = 1;
        fails(fixture.again(), Code::internal, "a step ended badly");
        script = {};
        script.throws = true;
        fails(fixture.again(), Code::internal, "a step ended badly");
    }

    void a_refusal_keeps_its_sentence() {
        Fixture fixture;
        fails(fixture.run({R"({"error":{"code":"out-of-range","message":"Choose another key."}})"}),
              Code::out_of_range, "Choose another key.");
    }

    void rows_are_needed() {
        Fixture fixture;
        fixture.rows.clear();
        fails(fixture.run({done}), Code::usage, "example needs at least one prompt.");
        fixture.rows = {{}};
        fails(fixture.run({done}), Code::usage, "empty row");
    }

    void a_failed_run_ends_it_with_the_sentence_of_the_run() {
        Fixture fixture;
        fixture.services.run = [](const run::RunSpec&) -> Result<run::RunResult> {
            return fail(Code::out_of_memory, "The device is full.");
        };
        fails(fixture.run("head-entropy", Json()), Code::out_of_memory, "The device is full.");
    }

    void cancel_ends_it_before_the_next_step() {
        Fixture fixture;
        fixture.on_run = [&] { fixture.cancel.cancel(); };
        fails(fixture.run("head-entropy", Json()), Code::cancelled, "cancelled");
        fails(fixture.run({weights_need, done}), Code::cancelled, "cancelled");
        QVERIFY(script.received.empty());
    }

    void foreign_versions_and_manifests_are_refused() {
        vitrine_analysis table = scripted(example.dump());
        table.abi_version = 2;
        vitrine_plugin plugin{VITRINE_ABI_VERSION, 1, &table};
        const auto foreign = read_plugin(plugin, "p.so");
        QVERIFY(!foreign);
        QCOMPARE(
            foreign.error().message,
            std::string("p.so was built for version 2 of the analysis interface, this program has version "
                        "1: rebuild it."));
        Json broken = example;
        broken["parameters"][0]["type"] = "matrix";
        table = scripted(broken.dump());
        const auto malformed = read_plugin(plugin, "p.so");
        QVERIFY(!malformed);
        QCOMPARE(malformed.error().message,
                 std::string(
                     "The manifest of analysis 0 of p.so is not valid: parameter share has no known type."));
    }

    void ragged_rows_are_cut_to_their_length() {
        ResultValue result{"alpha",
                           "matrix",
                           {{"row", 2, {}, false}, {"head", 1, {}, false}, {"key", 3, {}, true}},
                           {1, 2, NAN, 4, 5, 6},
                           nullptr,
                           {2, 3}};
        QCOMPARE(data_to_json(result), Json::parse("[[[1.0,2.0]],[[4.0,5.0,6.0]]]"));
        QCOMPARE(to_json(result)["lengths"], Json({2, 3}));
        QCOMPARE(data_to_json(ResultValue{"x", "number", {}, {0.5}, nullptr, {}}), Json(0.5));
        QCOMPARE(
            dump_json(data_to_json({"ids", "series", {{"step", 2, {}, false}}, {7, NAN}, nullptr, {}, true})),
            std::string("[7,null]"));
    }
};

QTEST_GUILESS_MAIN(TestAnalysisHost)
#include "test_analysis_host.moc"
