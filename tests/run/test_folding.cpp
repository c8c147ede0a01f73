// Folded coordinates: against TransformerLens on three models (tests/fixtures/models/folded), and in float64
// against the raw model, whose probabilities they must keep.
#include <cmath>
#include <set>

#include <QtTest>
#include <fmt/format.h>

#include "core/formats/npz.h"
#include "core/model/folding.h"
#include "core/run/generate.h"
#include "core/run/spec_json.h"
#include "tests/run/loaded.h"
#include "tests/run/plain_forward.h"

using namespace vitrine;
using model::Coordinates;
using test::Lines;
using test::Loaded;

namespace {

std::map<std::string, Tensor> arrays_of(const std::string& name) {
    auto read = formats::read_npz(test::fixture("folded/" + name + ".npz"));
    if (!read) qFatal("%s", read.error().message.c_str());
    std::map<std::string, Tensor> arrays;
    for (const auto& [key, array] : *read)
        arrays[key] = array.to_float();
    return arrays;
}

/// The exact band of DESIGN.md.
void compare(const Tensor& ours, const Tensor& theirs, const std::string& what) {
    QVERIFY2(ours.shape == theirs.shape, what.c_str());
    double largest = 1;
    double gap = 0;
    for (std::size_t i = 0; i < ours.data.size(); ++i) {
        largest = std::max(largest, std::abs(double{theirs.data[i]}));
        const double here = std::abs(double{ours.data[i]} - double{theirs.data[i]});
        QVERIFY2(!std::isnan(here), what.c_str());
        gap = std::max(gap, here);
    }
    QVERIFY2(gap <= 5e-5 * largest, fmt::format("{}: {} of {}", what, gap, largest).c_str());
}

run::RunSpec folded_spec(const std::map<std::string, Tensor>& arrays) {
    run::RunSpec spec;
    run::RunRow row;
    for (const float id : arrays.at("ids").data)
        row.ids.push_back(static_cast<std::int32_t>(id));
    spec.rows = {row};
    for (const auto& [name, array] : arrays)
        if (name.starts_with("hook ")) spec.captures.push_back(name.substr(5));
    spec.choice = run::PositionChoice::all;
    spec.logits = true;
    spec.coordinates = Coordinates::folded;
    return spec;
}

/// A model of the folded weights, in float64.
model::Model folded_model(const model::Model& raw) {
    const model::Folding folding(raw);
    model::Model out;
    out.spec = raw.spec;
    std::set<std::string> names;
    for (const model::Weight& weight : raw.weights) {
        names.insert(weight.name);
        std::string bias = weight.name; // a bias that only the folded model has
        if (const auto at = bias.find("W_"); at != std::string::npos) names.insert(bias.replace(at, 1, "b"));
    }
    auto storage = std::make_shared<std::vector<model::FoldedWeight<double>>>();
    for (const std::string& name : names) {
        auto weight = folding.folded<double>(name);
        if (!weight) continue;
        storage->push_back(std::move(*weight));
        const auto& kept = storage->back();
        out.add({name, reinterpret_cast<const std::byte*>(kept.data.data()), DType::f64, kept.rows, kept.cols,
                 kept.cols, 1});
    }
    out.storage = storage;
    return out;
}

model::ModelSpec small(model::NormKind kind) {
    model::ModelSpec spec;
    spec.layers = 2;
    spec.d_model = 12;
    spec.heads = spec.kv_heads = 4;
    spec.d_head = 5;
    spec.d_ff = 14;
    spec.vocab = 19;
    spec.context = 16;
    spec.attention_scale = 0.4F;
    spec.norm = {kind, 1e-5F};
    return spec;
}

std::vector<std::pair<std::string, model::ModelSpec>> specs() {
    std::vector<std::pair<std::string, model::ModelSpec>> all;
    model::ModelSpec gpt2 = small(model::NormKind::layer);
    gpt2.positional = model::Positional::learned;
    all.emplace_back("LayerNorm", gpt2);
    model::ModelSpec llama = small(model::NormKind::rms);
    llama.kv_heads = 2;
    llama.gated = true;
    all.emplace_back("RMSNorm, grouped keys", llama);
    model::ModelSpec gptj = gpt2;
    gptj.parallel = gptj.shared_norm = true;
    all.emplace_back("parallel, one norm", gptj);
    model::ModelSpec neox = gpt2;
    neox.parallel = true;
    neox.logit_scale = 0.3F;
    all.emplace_back("parallel, two norms, scaled logits", neox);
    model::ModelSpec gemma = llama;
    gemma.norm_place = model::NormPlace::sandwich;
    gemma.logit_cap = 3;
    gemma.embedding_scale = 2;
    all.emplace_back("sandwich norms, capped logits", gemma);
    model::ModelSpec olmo = llama;
    olmo.norm_place = model::NormPlace::branch_output;
    olmo.qk_norm = model::QkNorm::whole;
    olmo.qk_norm_spec = olmo.norm;
    all.emplace_back("norms behind branches", olmo);
    model::ModelSpec bloom = small(model::NormKind::layer);
    bloom.embed_norm = true;
    bloom.positional = model::Positional::alibi;
    bloom.alibi_slopes = {0.5F, 0.25F, 0.125F, 0.0625F};
    all.emplace_back("norm behind the embedding", bloom);
    model::ModelSpec clipped = gpt2;
    clipped.qkv_clip = 0.5F;
    clipped.residual_scale = 0.7F;
    all.emplace_back("clipped values, scaled branches", clipped);
    return all;
}

Lines log_softmax(Lines logits, std::size_t vocab) {
    for (std::size_t first = 0; first < logits.size(); first += vocab) {
        double sum = 0;
        for (std::size_t i = 0; i < vocab; ++i)
            sum += std::exp(logits[first + i]);
        for (std::size_t i = 0; i < vocab; ++i)
            logits[first + i] -= std::log(sum);
    }
    return logits;
}

} // namespace

class TestFolding : public QObject {
    Q_OBJECT
private slots:
    void hooks_and_logits_are_those_of_TransformerLens_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("folder");
        QTest::addColumn<QString>("device");
        for (const std::string& device : test::devices())
            for (const auto& [name, folder] : {std::pair{"gpt2-random", "gpt2-random"},
                                               {"llama-random", "llama-random"},
                                               {"qwen2", "families/qwen2"}})
                QTest::newRow(fmt::format("{} on {}", name, device).c_str())
                    << name << folder << QString::fromStdString(device);
    }
    void hooks_and_logits_are_those_of_TransformerLens() {
        QFETCH(QString, name);
        QFETCH(QString, folder);
        QFETCH(QString, device);
        const auto arrays = arrays_of(name.toStdString());
        const Loaded model(test::fixture(folder.toStdString()), device.toStdString());
        run::RunSpec spec = folded_spec(arrays);
        spec.captures.emplace_back("unembed.hook_in");
        spec.captures.emplace_back("unembed.hook_out");
        const run::RunResult result = model.run(spec);
        const run::RowResult& row = result.rows.front();
        for (const auto& [key, theirs] : arrays) {
            if (!key.starts_with("hook ")) continue;
            const run::Captured* ours = row.find(key.substr(5));
            QVERIFY2(ours != nullptr, key.c_str());
            compare(ours->tensor, theirs, key);
        }
        const Tensor& logits = arrays.at("logits");
        compare(row.logits, logits, "logits");
        compare(row.find("unembed.hook_out")->tensor, logits, "unembed.hook_out");
        compare(row.find("unembed.hook_in")->tensor, arrays.at("hook ln_final.hook_normalized"),
                "unembed.hook_in");
        // What the read-out itself needed is not handed out.
        QCOMPARE(row.captures.size(), spec.captures.size());
        const auto vocab = static_cast<std::size_t>(logits.shape[1]);
        for (std::size_t pos = 0; pos < row.positions.size(); ++pos) {
            const backend::LogitRow& stats = row.positions[pos].stats;
            double sum = 0;
            for (std::size_t id = 0; id < vocab; ++id)
                sum += std::exp(double{logits.data[pos * vocab + id]});
            QVERIFY(std::abs(double{stats.logsumexp} - std::log(sum)) < 5e-4);
            for (const backend::TopToken& token : stats.top)
                QVERIFY(std::abs(token.logit -
                                 logits.data[pos * vocab + static_cast<std::size_t>(token.id)]) < 5e-4F);
        }
    }

    void weights_are_those_of_TransformerLens() {
        for (const auto& [name, folder] : {std::pair{"gpt2-random", "gpt2-random"},
                                           {"llama-random", "llama-random"},
                                           {"qwen2", "families/qwen2"}}) {
            const auto model = model::open_model_folder(test::fixture(folder), {}, {});
            QVERIFY(model.has_value());
            const model::Folding folding(*model);
            for (const auto& [key, theirs] : arrays_of(name)) {
                if (!key.starts_with("weight ")) continue;
                const auto ours = folding.weight(key.substr(7));
                // A bias that the folded model does not have is zeros there.
                compare(ours ? *ours : Tensor(theirs.shape), theirs, std::string(name) + " " + key);
            }
            const std::string last = fmt::format("blocks.{}.", model->spec.layers - 1);
            for (const char* gone : {"ln1.w", "ln1.b", "ln2.w", "attn.b_V"})
                QVERIFY(!folding.weight(last + gone));
            QVERIFY(!folding.weight("ln_final.w"));
        }
    }

    void probabilities_stay_in_float64() {
        const std::vector<int> ids{3, 1, 4, 1, 5, 9, 2};
        for (const auto& [name, spec] : specs()) {
            QVERIFY2(model::Folding::possible(spec), name.c_str());
            const model::Model raw = test::made_model(spec, true);
            const auto vocab = static_cast<std::size_t>(spec.vocab);
            const Lines before = log_softmax(test::PlainForward(raw).logits(ids), vocab);
            const Lines after = log_softmax(test::PlainForward(folded_model(raw)).logits(ids), vocab);
            double gap = 0;
            for (std::size_t i = 0; i < before.size(); ++i)
                gap = std::max(gap, std::abs(before[i] - after[i]));
            QVERIFY2(gap < 1e-12, fmt::format("{}: {}", name, gap).c_str());
        }
    }

    void read_outs_are_the_folded_models_own_values() {
        const std::vector<int> ids{3, 1, 4, 1, 5, 9, 2};
        for (const auto& [name, spec] : specs()) {
            if (spec.embed_norm) continue; // its residual stream is centred by definition alone
            const model::Model raw = test::made_model(spec, true);
            const model::Folding folding(raw);
            std::map<std::string, Lines> seen;
            const auto tap = [&](const std::string& hook, Lines& value) { seen[hook] = value; };
            (void)test::PlainForward(folded_model(raw), tap).logits(ids);
            int compared = 0;
            const auto check = [&](const std::string& hook, Lines& value) {
                if (folding.stands_for(hook) || !seen.contains(hook)) return;
                const auto last = static_cast<std::int64_t>(
                    hook.ends_with("hook_v") || hook.ends_with("hook_z")        ? spec.d_head
                    : hook.ends_with("hook_out") && hook.starts_with("unembed") ? spec.vocab
                                                                                : spec.d_model);
                if (static_cast<std::int64_t>(value.size()) % last != 0) return;
                Tensor tensor({static_cast<std::int64_t>(value.size()) / last, last},
                              std::vector<float>(value.begin(), value.end()));
                folding.read_out(hook, tensor);
                double gap = 0;
                for (std::size_t i = 0; i < value.size(); ++i)
                    if (std::isfinite(value[i]))
                        gap = std::max(gap, std::abs(double{tensor.data[i]} - seen[hook][i]));
                QVERIFY2(gap < 1e-5, fmt::format("{}, {}: {}", name, hook, gap).c_str());
                ++compared;
            };
            (void)test::PlainForward(raw, check).logits(ids);
            QVERIFY(compared > 10);
        }
    }

    void a_generation_reads_out_folded_too() {
        const Loaded model(test::fixture("gpt2-random"), "cpu");
        run::GenerateSpec spec;
        spec.prompt.rows = {{{5, 17, 2}, {}}};
        spec.prompt.captures = {"blocks.1.hook_resid_post", "blocks.1.attn.hook_z", "unembed.hook_in"};
        spec.prompt.coordinates = Coordinates::folded;
        spec.max_new = 2;
        const auto generated = run::generate(*model.loaded, *model.model, spec, {}, {}, {});
        QVERIFY2(generated.has_value(), generated ? "" : generated.error().message.c_str());
        run::RunSpec whole = spec.prompt;
        whole.rows[0].ids.push_back(generated->rows[0].new_ids[0]);
        const run::RunResult run = model.run(whole);
        for (const run::Captured& captured : generated->rows[0].steps[1].captures) {
            const Tensor& all = run.rows[0].find(captured.hook)->tensor;
            Tensor last(captured.tensor.shape);
            std::copy(all.data.end() - last.size(), all.data.end(), last.data.begin());
            compare(captured.tensor, last, captured.hook);
        }
    }

    void what_cannot_be_folded_is_refused() {
        model::ModelSpec after = small(model::NormKind::layer);
        after.norm_place = model::NormPlace::after_sum;
        QCOMPARE(model::Folding::possible(after).error().code, Code::unsupported);
        const Loaded model(test::fixture("gpt2-random"), "cpu");
        for (const char* text :
             {"unembed.hook_out add 1", "blocks.1.mlp.hook_in zero", "unembed.hook_in scale 2"}) {
            run::RunSpec spec;
            spec.rows = {{{5, 17, 2}, {}}};
            spec.edits = {*run::parse_edit(text)};
            QVERIFY(run::check(*model.model, spec));
            spec.coordinates = Coordinates::folded;
            const auto refused = run::check(*model.model, spec);
            QVERIFY(!refused);
            QCOMPARE(refused.error().code, Code::unsupported);
        }
    }

    void the_journal_says_which() {
        run::RunSpec spec;
        spec.rows = {{{5}, {}}};
        QCOMPARE(run::to_json(spec)["coordinates"], "raw");
        spec.coordinates = Coordinates::folded;
        const auto again = run::run_spec_from_json(run::to_json(spec));
        QVERIFY(again && again->coordinates == Coordinates::folded);
    }
};

QTEST_GUILESS_MAIN(TestFolding)
#include "test_folding.moc"
