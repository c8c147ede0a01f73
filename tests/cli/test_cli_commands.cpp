// The program's documents on models whose numbers transformers computed.
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "core/formats/npz.h"
#include "core/formats/tensor_files.h"
#include "core/store/activation_reader.h"
#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

Tensor tensor_of(const formats::TensorFiles& files, const std::string& name) {
    const auto* stored = files.find(name);
    Tensor tensor(stored->view.shape);
    widen(stored->view.dtype, stored->view.data, tensor.data);
    return tensor;
}

/// The reference of a fixture, as a function of a tensor's name.
formats::TensorFiles reference_of(const QString& model) {
    return *formats::TensorFiles::open((model + "/reference.safetensors").toStdString());
}

QString ids_text(const Tensor& ids) {
    QStringList parts;
    for (const float id : ids.data)
        parts << QString::number(static_cast<int>(id));
    return parts.join(',');
}

/// ln p of an id in a row of logits, in double precision.
double log_prob(const Tensor& logits, std::size_t row, std::size_t id) {
    const auto vocab = static_cast<std::size_t>(logits.shape[1]);
    double sum = 0;
    for (std::size_t i = 0; i < vocab; ++i)
        sum += std::exp(double{logits.data[row * vocab + i]});
    return logits.data[row * vocab + id] - std::log(sum);
}

/// Largest difference that exact mode allows between two float32 implementations.
double band(const Tensor& reference) {
    double largest = 1;
    for (const float value : reference.data)
        largest = std::max(largest, std::abs(double{value}));
    return 5e-5 * largest;
}

Tensor stored(const QString& file, const std::string& name) {
    const auto reader = store::ActivationReader::open(file.toStdString());
    if (!reader) return {};
    return reader->read(name).value_or(Tensor{});
}

} // namespace

class TestCliCommands : public QObject {
    Q_OBJECT
private slots:
    void devices() {
        const Ended ended = run_json({"devices"});
        VERIFY_DONE(ended);
        VERIFY_KEYS(ended.document, {"auto", "devices"});
        VERIFY_KEYS(ended.document["devices"][0],
                    {"id", "name", "driver", "api", "type", "memory_bytes", "features"});
        QCOMPARE(ended.document["devices"][0]["id"].get<std::string>(), std::string("cpu"));
    }

    void model_and_tensors() {
        const Ended ended = run_json({"model", llama(), "--tensors"});
        VERIFY_DONE(ended);
        const Json& model = ended.document["model"];
        VERIFY_KEYS(model, {"path",       "format",     "family",       "layers",    "d_model",
                            "heads",      "kv_heads",   "d_head",       "d_ff",      "vocab",
                            "context",    "parameters", "weights_hash", "tokenizer", "norm",
                            "activation", "positional", "tied",         "dtype",     "window"});
        QCOMPARE(model["layers"].get<int>(), 3);
        QCOMPARE(model["kv_heads"].get<int>(), 2);
        QCOMPARE(model["d_head"].get<int>(), 16);
        QCOMPARE(model["dtype"].get<std::string>(), std::string("bfloat16"));
        QVERIFY(model["tokenizer"].is_null());
        std::int64_t elements = 0;
        for (const Json& tensor : ended.document["tensors"]) {
            VERIFY_KEYS(tensor, {"name", "shape", "dtype", "bytes"});
            elements += tensor["bytes"].get<std::int64_t>() / 2;
        }
        QCOMPARE(elements, model["parameters"].get<std::int64_t>());
    }

    void prompts_are_taken_as_they_are_typed() {
        // A tokenizer of single characters: enough to see which text arrived.
        const QString tokenizer = folder_.filePath("tokenizer");
        QVERIFY(QDir().mkpath(tokenizer));
        Json vocabulary = Json::object();
        const std::string characters = "[]{}\"-,12x=@#";
        for (const char c : characters)
            vocabulary[std::string(1, c)] = vocabulary.size();
        const Json json = {
            {"added_tokens", Json::array()},
            {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}},
            {"decoder", {{"type", "ByteLevel"}}},
            {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}}};
        QFile file(tokenizer + "/tokenizer.json");
        QVERIFY(file.open(QIODevice::WriteOnly));
        QVERIFY(file.write(json.dump().c_str()) > 0);
        file.close();
        for (const char* prompt : {"[1,2]", "-x", "--", "\"x\"", "{}", "[]", "x=1", "@1", "#"}) {
            const Ended ended = run_json({"tokenize", tokenizer, "--prompt", prompt});
            VERIFY_DONE(ended);
            std::string text;
            for (const Json& token : ended.document["rows"][0]["tokens"])
                text += token["text"].get<std::string>();
            QCOMPARE(text, std::string(prompt));
            const Json& last = ended.document["rows"][0]["tokens"].back();
            QCOMPARE(last["end"].get<std::size_t>(), std::string(prompt).size());
        }
        const Ended two = run_json({"tokenize", tokenizer, "--prompt=x", "--prompt", "[1]", "--ids", "1,2"});
        VERIFY_DONE(two);
        QCOMPARE(two.document["rows"].size(), std::size_t{3});
    }

    void model_check() {
        const Ended ended = run_json({"model", gpt2(), "--check", "--device", "cpu"});
        VERIFY_DONE(ended);
        VERIFY_KEYS(ended.document["check"],
                    {"device", "precision", "max_abs_dlogit", "kl", "argmax_agreement", "band", "passed",
                     "first_divergent", "ms", "measured", "cached", "accepted"});
        QVERIFY(ended.document["check"]["passed"].get<bool>());
        // Known at the next start, measured again when that is asked for.
        const Ended known = run_json({"model", gpt2(), "--check", "--device", "cpu"});
        VERIFY_DONE(known);
        QCOMPARE(known.document["check"]["cached"], true);
        QCOMPARE(known.document["check"]["measured"], ended.document["check"]["measured"]);
        const Ended again = run_json({"model", gpt2(), "--check-again", "--device", "cpu"});
        VERIFY_DONE(again);
        QCOMPARE(again.document["check"]["cached"], false);
    }

    void hooks() {
        const Ended ended = run_json({"hooks", llama()});
        VERIFY_DONE(ended);
        bool found = false;
        for (const Json& hook : ended.document["hooks"]) {
            VERIFY_KEYS(hook, {"name", "axes", "shape"});
            QCOMPARE(hook["axes"].size(), hook["shape"].size());
            if (hook["name"] != "blocks.1.attn.hook_z") continue;
            found = true;
            QCOMPARE(hook["axes"].dump(), std::string("[\"batch\",\"pos\",\"head\",\"d_head\"]"));
            QCOMPARE(hook["shape"].dump(), std::string("[null,null,4,16]"));
        }
        QVERIFY(found);
    }

    void run_agrees_with_transformers_data() {
        QTest::addColumn<QString>("model");
        QTest::newRow("gpt2") << gpt2();
        QTest::newRow("llama") << llama();
    }
    void run_agrees_with_transformers() {
        QFETCH(QString, model);
        const auto reference = reference_of(model);
        const QString file = folder_.filePath("captures.h5");
        const Ended ended = run_json({"run", model, "--ids", ids_text(tensor_of(reference, "row0.ids")),
                                      "--ids", ids_text(tensor_of(reference, "row1.ids")), "--positions",
                                      "all", "--capture", "blocks.*.attn.hook_pattern", "--capture",
                                      "unembed.hook_out", "--out", file, "--device", "cpu"});
        VERIFY_DONE(ended);
        VERIFY_KEYS(ended.document, {"device", "precision", "step", "timing", "rows"});
        VERIFY_KEYS(ended.document["timing"], {"load_ms", "tokenize_ms", "run_ms", "read_ms"});
        QVERIFY(ended.document["step"].is_null());
        QCOMPARE(ended.document["rows"].size(), std::size_t{2});
        for (std::size_t r = 0; r < 2; ++r) {
            const std::string name = "row" + std::to_string(r);
            const Tensor logits = tensor_of(reference, name + ".logits");
            check_row(ended.document["rows"][r], logits);
            compare(stored(file, "/" + name + "/unembed.hook_out"), logits);
            compare(stored(file, "/" + name + "/blocks.2.attn.hook_pattern"),
                    tensor_of(reference, name + ".pattern.2"));
        }
    }

    void files_of_captures_say_what_they_hold() {
        const QString file = folder_.filePath("small.h5");
        VERIFY_DONE(run_json({"run", gpt2(), "--ids", "5,6,7", "--capture", "blocks.0.attn.hook_pattern",
                              "--out", file, "--store-dtype", "float16"}));
        const auto reader = store::ActivationReader::open(file.toStdString());
        QVERIFY(reader.has_value());
        const auto header = reader->header();
        QVERIFY(header.has_value());
        QCOMPARE(header->precision, std::string("exact"));
        QCOMPARE(header->weights_hash.size(), std::size_t{64});
        QCOMPARE(header->spec_hash.size(), std::size_t{64});
        QVERIFY(!header->model.empty() && !header->device.empty() && !header->version.empty() &&
                !header->spec.empty());
        const auto dataset = reader->dataset("/row0/blocks.0.attn.hook_pattern");
        QVERIFY(dataset.has_value());
        const auto labels = reader->labels("/row0/blocks.0.attn.hook_pattern");
        QVERIFY(labels->axes == (std::vector<std::string>{"head", "query", "key"}));
        QVERIFY(dataset->dtype == DType::f16);
        QCOMPARE(labels->hook, std::string("blocks.0.attn.hook_pattern"));
        QVERIFY(reader->read("/row0/tokens")->data == (std::vector<float>{5, 6, 7}));
    }

    void positions_and_top() {
        const Ended ended =
            run_json({"run", gpt2(), "--ids", "5,6,7,8", "--positions", "0,-1", "--top", "3"});
        VERIFY_DONE(ended);
        const Json& row = ended.document["rows"][0];
        QCOMPARE(row["positions"].size(), std::size_t{2});
        QCOMPARE(row["positions"][0]["pos"].get<int>(), 0);
        QCOMPARE(row["positions"][1]["pos"].get<int>(), 3);
        QCOMPARE(row["positions"][0]["top"].size(), std::size_t{3});
        VERIFY_KEYS(row["positions"][0]["top"][0], {"id", "token", "logit", "prob"});
        VERIFY_KEYS(row["tokens"][0], {"id", "text", "bytes", "start", "end", "special"});
        QVERIFY(row["prompt"].is_null());
    }

    void edits_are_compared_with_the_clean_run() {
        const QStringList base = {"run", gpt2(), "--ids", "5,6,7,8", "--compare-clean", "--positions", "all"};
        const Ended changed = run_json(base + QStringList{"--edit", "blocks.1.attn.hook_z head=2 zero"});
        VERIFY_DONE(changed);
        double largest = 0;
        for (const Json& position : changed.document["rows"][0]["positions"])
            largest = std::max(largest, position["kl"].get<double>());
        QVERIFY(largest > 0);
        QVERIFY(changed.document["clean"][0]["loss"] != changed.document["rows"][0]["loss"]);
        const Ended same = run_json(base + QStringList{"--edit", "blocks.1.hook_resid_pre scale 1"});
        VERIFY_DONE(same);
        for (const Json& position : same.document["rows"][0]["positions"])
            QCOMPARE(position["kl"].get<double>(), 0.0);
        QVERIFY(same.document["clean"][0]["loss"] == same.document["rows"][0]["loss"]);
    }

    void an_edit_takes_its_values_from_a_file() {
        // Whatever the row was, with what another run stored before block 2 it ends like that run.
        const QString file = folder_.filePath("stored run.h5");
        const Ended first = run_json(
            {"run", gpt2(), "--ids", "5,6,7,8", "--capture", "blocks.2.hook_resid_pre", "--out", file});
        VERIFY_DONE(first);
        const Ended other = run_json({"run", gpt2(), "--ids", "1,2,3,4", "--edit",
                                      "blocks.2.hook_resid_pre from @\"" + file + ":0\""});
        VERIFY_DONE(other);
        QCOMPARE(other.document["rows"][0]["positions"].dump(),
                 first.document["rows"][0]["positions"].dump());
    }

    void generate_agrees_with_transformers() {
        const auto reference = reference_of(gpt2());
        const Ended ended = run_json({"generate", gpt2(), "--ids", ids_text(tensor_of(reference, "row0.ids")),
                                      "--max-new", "16", "--device", "cpu"});
        VERIFY_DONE(ended);
        const Json& row = ended.document["rows"][0];
        VERIFY_KEYS(row, {"ids", "new_ids", "text", "steps", "stop"});
        VERIFY_KEYS(row["steps"][0],
                    {"pos", "id", "token", "prob", "entropy", "varentropy", "top1", "margin"});
        const Tensor expected = tensor_of(reference, "row0.generated");
        // The reference does not stop at an end token.
        QVERIFY(row["new_ids"].size() == 16 || row["stop"] == "eos");
        for (std::size_t i = 0; i < row["new_ids"].size(); ++i)
            QCOMPARE(row["new_ids"][i].get<int>(), static_cast<int>(expected.data[i]));
        QCOMPARE(row["steps"][0]["pos"].get<std::size_t>(), row["ids"].size());
    }

    void samples_follow_the_seed() {
        const QStringList arguments = {"generate",      gpt2(), "--ids",     "5,6,7", "--max-new", "6",
                                       "--temperature", "2",    "--samples", "3",     "--seed",    "11"};
        const Ended first = run_json(arguments);
        const Ended again = run_json(arguments);
        VERIFY_DONE(first);
        QCOMPARE(first.document["rows"].size(), std::size_t{3});
        QVERIFY(first.document["rows"][0]["new_ids"] != first.document["rows"][1]["new_ids"]);
        QCOMPARE(again.document["rows"].dump(), first.document["rows"].dump());
    }

    void a_branch_takes_its_token_and_goes_on() {
        const QStringList plain = {"generate", gpt2(), "--ids", "5,6,7", "--max-new", "6"};
        const Ended whole = run_json(plain), branch = run_json(plain + QStringList{"--branch", "2:17"});
        VERIFY_DONE(whole);
        VERIFY_DONE(branch);
        const Json& ids = whole.document["rows"][0]["new_ids"];
        const Json& other = branch.document["rows"][0]["new_ids"];
        QCOMPARE(other.size(), std::size_t{6});
        QVERIFY(other[0] == ids[0] && other[1] == ids[1] && ids[2] != 17);
        QCOMPARE(other[2].get<int>(), 17);
        // What follows is what follows the whole text up to the branch.
        const QString text = QString("5,6,7,%1,%2,17").arg(ids[0].get<int>()).arg(ids[1].get<int>());
        const Ended rest = run_json({"generate", gpt2(), "--ids", text, "--max-new", "3"});
        VERIFY_DONE(rest);
        for (std::size_t i = 0; i < 3; ++i)
            QCOMPARE(other[3 + i].get<int>(), rest.document["rows"][0]["new_ids"][i].get<int>());
        const Ended lanes = run_json({"analyze", "generation-lanes", gpt2(), "--ids", "5,6,7", "--set",
                                      "max_new=6", "--set", "branch=2:17"});
        VERIFY_DONE(lanes);
        QCOMPARE(lanes.document["results"][0]["data"].dump(), other.dump());
    }

    void generated_captures_are_rows_of_a_whole_run() {
        const QString generated = folder_.filePath("generated.h5");
        const QString whole = folder_.filePath("whole.h5");
        const std::string hook = "blocks.1.attn.hook_pattern";
        const Ended ended =
            run_json({"generate", llama(), "--ids", "5,6,7,8,9", "--max-new", "4", "--capture",
                      QString::fromStdString(hook), "--out", generated, "--device", "cpu"});
        VERIFY_DONE(ended);
        QStringList ids = {"5", "6", "7", "8", "9"};
        for (const Json& id : ended.document["rows"][0]["new_ids"])
            ids << QString::number(id.get<int>());
        ids.removeLast(); // nothing was asked of the last one
        VERIFY_DONE(run_json({"run", llama(), "--ids", ids.join(','), "--capture",
                              QString::fromStdString(hook), "--out", whole, "--device", "cpu"}));
        const Tensor steps = stored(generated, "/row0/" + hook);
        const Tensor full = stored(whole, "/row0/" + hook);
        const auto length = static_cast<std::size_t>(ids.size());
        const std::size_t count = ended.document["rows"][0]["new_ids"].size();
        QVERIFY(full.shape == (Shape{4, ids.size(), ids.size()}));
        QVERIFY(steps.shape == (Shape{4, static_cast<std::int64_t>(count), ids.size()}));
        for (std::size_t h = 0; h < 4; ++h)
            for (std::size_t s = 0; s < count; ++s)
                for (std::size_t k = 0; k < length; ++k)
                    QVERIFY(std::abs(steps.data[(h * count + s) * length + k] -
                                     full.data[(h * length + (length - count + s)) * length + k]) < 1e-6F);
    }

    void analyses_are_listed() {
        const Ended ended = run_json({"analyze", "--list"});
        VERIFY_DONE(ended);
        QVERIFY(!ended.document["analyses"].empty());
        for (const Json& analysis : ended.document["analyses"]) {
            VERIFY_KEYS(analysis, {"id", "title", "summary", "citation", "parameters", "results"});
            for (const Json& parameter : analysis["parameters"])
                VERIFY_KEYS(parameter, {"name", "type", "default", "min", "max", "choices", "doc"});
            for (const Json& result : analysis["results"])
                VERIFY_KEYS(result, {"name", "kind"});
        }
    }

    void an_analysis_with_its_files() {
        const QString npz = folder_.filePath("entropy.npz");
        const QString svg = folder_.filePath("entropy.svg");
        const Ended ended = run_json({"analyze", "head-entropy", gpt2(), "--ids", "5,6,7,8", "--data", npz,
                                      "--figure", svg, "--set", "normalise=true"});
        VERIFY_DONE(ended);
        VERIFY_KEYS(ended.document, {"analysis", "parameters", "provenance", "results"});
        const Json& entropy = ended.document["results"][0];
        VERIFY_KEYS(entropy, {"name", "kind", "axes", "data"});
        QCOMPARE(entropy["data"].size(), std::size_t{3});
        QCOMPARE(entropy["data"][0].size(), std::size_t{4});
        QVERIFY(ended.document["parameters"]["normalise"].get<bool>());
        const auto arrays = formats::read_npz(npz.toStdString());
        QVERIFY(arrays.has_value());
        const auto& array = arrays->at("entropy");
        QVERIFY(array.shape == (Shape{3, 4}));
        QCOMPARE(array.to_float().data[5], static_cast<float>(entropy["data"][1][1].get<double>()));
        QFile figure(svg);
        QVERIFY(figure.open(QIODevice::ReadOnly));
        QVERIFY(figure.readAll().contains("<svg"));
    }

    void an_analysis_of_an_edited_run() {
        // Without a query all scores are 0, an even spread over n keys: ln n nats, ln 24 / 4 on average.
        const Ended ended = run_json({"analyze", "head-entropy", gpt2(), "--ids", "5,6,7,8", "--edit",
                                      "blocks.1.attn.hook_q head=2 zero"});
        VERIFY_DONE(ended);
        const Json& entropy = ended.document["results"][0]["data"];
        QVERIFY(std::abs(entropy[1][2].get<double>() - std::log(24.0) / 4) < 1e-5);
        QVERIFY(ended.document["provenance"]["edits"].size() == 1);
        const Ended clean = run_json({"analyze", "head-entropy", gpt2(), "--ids", "5,6,7,8"});
        QVERIFY(clean.document["results"][0]["data"][1][2] != entropy[1][2]);
        QCOMPARE(clean.document["results"][0]["data"][0], entropy[0]);
    }

    void bench_measures() {
        const Ended ended =
            run_json({"bench", "load", "forward", "decode", "--model", llama(), "--tokens", "4,9",
                      "--capture", "none", "--capture", "all", "--runs", "2", "--device", "cpu"});
        VERIFY_DONE(ended);
        VERIFY_KEYS(ended.document, {"machine", "rows"});
        QCOMPARE(ended.document["rows"].size(), std::size_t{1 + 4 + 2});
        for (const Json& row : ended.document["rows"]) {
            VERIFY_KEYS(row,
                        {"work", "model", "tokens", "batch", "capture", "device", "precision", "median_ms",
                         "min_ms", "runs", "tokens_per_s", "peak_bytes", "flop", "share_of_peak"});
            QVERIFY(row["median_ms"].get<double>() >= row["min_ms"].get<double>());
            QVERIFY(row["peak_bytes"].get<double>() > 0);
        }
    }

    void people_get_tables() {
        const Ended ended = run_program({"run", gpt2(), "--ids", "5,6,7", "--top", "2"});
        QCOMPARE(ended.exit, 0);
        QVERIFY(ended.out.find("next token after position 2") != std::string::npos);
        QVERIFY(ended.out.find("prob") != std::string::npos);
        QVERIFY2(ended.err.empty(), ended.err.c_str()); // standard error is no terminal here
    }

    void a_signal_cancels() {
        QProcess process;
        process.setProcessEnvironment(clean_environment());
        process.start(VITRINE_CLI, {"bench", "forward", "--model", "llama-160m", "--tokens", "512", "--runs",
                                    "10000", "--device", "cpu", "--json"});
        QVERIFY(process.waitForStarted());
        const auto listens = [&] { // bit 1 of SigCgt: a handler of SIGINT is there
            QFile status(QStringLiteral("/proc/%1/status").arg(process.processId()));
            if (!status.open(QIODevice::ReadOnly)) return false;
            const QByteArray text = status.readAll();
            const qsizetype at = text.indexOf("SigCgt:") + 7;
            return (text.mid(at, text.indexOf('\n', at) - at).trimmed().toULongLong(nullptr, 16) & 2U) != 0;
        };
        QTRY_VERIFY_WITH_TIMEOUT(listens(), 30000);
        kill(static_cast<pid_t>(process.processId()), SIGINT);
        const Ended ended = finish(process);
        QCOMPARE(ended.exit, 130);
        QVERIFY2(ended.document.is_object(), ended.out.c_str());
        QCOMPARE(ended.document["error"]["code"].get<std::string>(), std::string("cancelled"));
    }

private:
    /// A row of `run --positions all` against the reference's logits.
    static void check_row(const Json& row, const Tensor& logits) {
        const double allowed = band(logits);
        const std::size_t length = row["ids"].size();
        const auto vocab = static_cast<std::size_t>(logits.shape[1]);
        QCOMPARE(row["positions"].size(), length);
        QVERIFY(row["token_nll"][0].is_null());
        double sum = 0;
        for (std::size_t i = 1; i < length; ++i) {
            const double nll = row["token_nll"][i].get<double>();
            QVERIFY(std::abs(nll + log_prob(logits, i - 1, row["ids"][i].get<std::size_t>())) < 4 * allowed);
            sum += nll;
        }
        QVERIFY(std::abs(row["loss"].get<double>() - sum / static_cast<double>(length - 1)) < 1e-5);
        for (std::size_t p = 0; p < length; ++p) {
            QCOMPARE(row["positions"][p]["pos"].get<std::size_t>(), p);
            for (const Json& token : row["positions"][p]["top"]) {
                const auto id = token["id"].get<std::size_t>();
                QVERIFY(std::abs(token["logit"].get<double>() - logits.data[p * vocab + id]) < allowed);
                QVERIFY(std::abs(token["prob"].get<double>() - std::exp(log_prob(logits, p, id))) <
                        4 * allowed);
            }
        }
    }

    static void compare(const Tensor& got, const Tensor& expected) {
        QVERIFY(got.shape == expected.shape);
        const double allowed = band(expected);
        for (std::size_t i = 0; i < got.data.size(); ++i)
            QVERIFY(std::abs(double{got.data[i]} - expected.data[i]) < allowed);
    }

    QTemporaryDir folder_;
};

QTEST_GUILESS_MAIN(TestCliCommands)
#include "test_cli_commands.moc"
