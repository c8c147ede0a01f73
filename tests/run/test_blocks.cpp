// Every field of ModelSpec against a forward pass in plain float64 loops: all hooks, edits at all of them,
// and decoding with a cache, on every device.
#include <cmath>
#include <memory>

#include <QtTest>
#include <fmt/format.h>

#include "core/backend/backend.h"
#include "core/backend/vulkan/backend.h"
#include "core/model/hooks.h"
#include "core/run/generate.h"
#include "core/run/runner.h"
#include "tests/backend/nmse.h"
#include "tests/run/plain_forward.h"

using namespace vitrine;
using model::ModelSpec;
using model::NormKind;
using model::NormPlace;
using model::Positional;
using model::QkNorm;
using test::Lines;
using test::PlainForward;

namespace {

struct Case {
    const char* name;
    ModelSpec spec;
    bool biases = true;
};

ModelSpec base() {
    ModelSpec spec;
    spec.layers = 2;
    spec.d_model = 20;
    spec.heads = spec.kv_heads = 3;
    spec.d_head = 6;
    spec.d_ff = 28;
    spec.vocab = 37;
    spec.context = 96;
    spec.attention_scale = 0.4F;
    return spec;
}

model::RotarySpec rotation(int dims, double theta, bool interleaved = false) {
    model::RotarySpec rotary;
    rotary.dims = dims;
    rotary.interleaved = interleaved;
    for (int i = 0; i < dims; i += 2)
        rotary.inverse_frequency.push_back(
            static_cast<float>(std::pow(theta, -i / static_cast<double>(dims))));
    return rotary;
}

ModelSpec rotating(ModelSpec spec, std::vector<model::RotarySpec> rotaries) {
    spec.positional = Positional::rotary;
    spec.rotaries = std::move(rotaries);
    return spec;
}

/// One case a family of differences, named after families that have it.
std::vector<Case> cases() {
    std::vector<Case> all;
    const auto add = [&](const char* name, ModelSpec spec, bool biases) {
        all.push_back({name, std::move(spec), biases});
    };
    {
        ModelSpec spec = base();
        spec.positional = Positional::learned;
        spec.layer_attention_scale = {0.5F, 0.25F};
        add("GPT-2, scores scaled by layer", spec, true);
    }
    {
        ModelSpec spec = base();
        spec.positional = Positional::learned;
        spec.attention_scale = 1;
        spec.window = {0, 4};
        add("GPT-Neo, local layers", spec, true);
    }
    {
        ModelSpec spec = rotating(base(), {rotation(4, 100)});
        spec.parallel = true;
        add("GPT-NeoX, two norms in parallel", spec, true);
    }
    {
        ModelSpec spec = rotating(base(), {rotation(4, 100, true)});
        spec.parallel = spec.shared_norm = true;
        spec.activation = model::Activation::gelu_tanh;
        add("GPT-J, one norm in parallel", spec, true);
    }
    {
        ModelSpec spec = base();
        spec.positional = Positional::learned;
        spec.position_offset = 2;
        spec.norm_place = NormPlace::after_sum;
        spec.embed_width = 10;
        spec.final_norm = false;
        spec.activation = model::Activation::relu;
        add("OPT-350m, norms after sums", spec, true);
    }
    {
        ModelSpec spec = base();
        spec.positional = Positional::alibi;
        spec.alibi_slopes = {0.5F, 0.25F, 0.0625F};
        spec.embed_norm = true;
        add("BLOOM", spec, true);
    }
    {
        ModelSpec spec = base();
        spec.positional = Positional::alibi;
        spec.alibi = model::AlibiKind::falcon;
        spec.alibi_slopes = {0.70710678F, 0.2973F, 0.11F};
        spec.kv_heads = 1;
        spec.parallel = spec.shared_norm = true;
        add("Falcon, multi-query with ALiBi", spec, false);
    }
    {
        ModelSpec spec = rotating(base(), {rotation(6, 100)});
        spec.norm = {NormKind::layer, 1e-5F};
        spec.qkv_clip = 0.8F;
        spec.family = "bare norms";
        add("OLMo, clipped, norms without weights", spec, false);
    }
    {
        ModelSpec spec = rotating(base(), {rotation(6, 100)});
        spec.norm = {NormKind::rms, 1e-6F};
        spec.norm_place = NormPlace::branch_output;
        spec.qk_norm = QkNorm::whole;
        spec.qk_norm_spec = {NormKind::rms, 1e-6F};
        spec.gated = true;
        add("OLMo 2, norms on branches", spec, false);
    }
    {
        ModelSpec spec = rotating(base(), {rotation(6, 100, true)});
        spec.heads = 4;
        spec.kv_heads = 2;
        spec.parallel = spec.shared_norm = true;
        spec.qk_norm = QkNorm::per_head;
        spec.qk_norm_spec = {NormKind::layer, 1e-5F};
        spec.logit_scale = 0.0625F;
        spec.gated = true;
        add("Cohere, norms of each head", spec, false);
    }
    {
        ModelSpec spec = rotating(base(), {rotation(6, 100), rotation(6, 10)});
        spec.layers = 3;
        spec.rotary_of_layer = {1, 0, 1};
        spec.window = {5, 0, 5};
        spec.norm = {NormKind::rms, 1e-6F};
        spec.norm_place = NormPlace::sandwich;
        spec.qk_norm = QkNorm::head;
        spec.qk_norm_spec = {NormKind::rms, 1e-6F};
        spec.embedding_scale = 4.472136F;
        spec.score_cap = 2;
        spec.logit_cap = 5;
        spec.gated = true;
        spec.activation = model::Activation::gelu_tanh;
        add("Gemma 2 and 3, sandwich, caps, windows", spec, false);
    }
    {
        ModelSpec spec = rotating(base(), {rotation(6, 100)});
        spec.norm = {NormKind::rms, 1e-6F};
        spec.gated = true;
        spec.activation = model::Activation::silu;
        spec.embedding_scale = 3;
        spec.residual_scale = 0.22F;
        spec.logit_scale = 0.125F;
        add("Granite, multipliers", spec, false);
    }
    {
        ModelSpec spec = rotating(base(), {rotation(6, 100)});
        spec.layers = 3;
        spec.rotary_of_layer = {0, -1, 0};
        spec.norm = {NormKind::rms, 1e-6F};
        spec.gated = true;
        add("SmolLM 3, a layer without rotation", spec, false);
    }
    {
        model::RotarySpec rotary = rotation(6, 100);
        rotary.scale = 1.19F;
        rotary.long_from = 9;
        rotary.long_inverse_frequency = {0.7F, 0.09F, 0.013F};
        ModelSpec spec = rotating(base(), {rotary});
        spec.norm = {NormKind::rms, 1e-6F};
        spec.gated = true;
        add("Phi-3, longrope", spec, false);
    }
    {
        model::RotarySpec rotary = rotation(6, 100);
        rotary.long_from = 9;
        rotary.dynamic_factor = 4;
        rotary.dynamic_theta = 100;
        ModelSpec spec = rotating(base(), {rotary});
        spec.norm = {NormKind::rms, 1e-6F};
        spec.gated = true;
        add("Llama, dynamic rotation", spec, false);
    }
    return all;
}

std::vector<int> ids_of(int count, int seed) {
    std::vector<int> ids;
    for (int i = 0; i < count; ++i)
        ids.push_back((i * i * 7 + i * 11 + seed) % 37);
    return ids;
}

run::RunRow row_of(const std::vector<int>& ids) { return {{ids.begin(), ids.end()}, {}}; }

struct Subject {
    std::unique_ptr<model::Model> model;
    std::unique_ptr<backend::LoadedModel> loaded;
};

constexpr const char* oracle = "cpu in float64";

bool close(const std::vector<float>& got, const Lines& want, const std::string& what) {
    const double error = test::nmse(got, want);
    if (error <= test::exact_budget) return true;
    qWarning("%s: NMSE %g over %zu values, %zu expected", what.c_str(), error, got.size(), want.size());
    return false;
}

/// What `op` gives at positions 4 to 7 in place of what the model computes, in plain loops.
class Replacement {
public:
    Replacement(std::string op, int tokens) : op_(std::move(op)), tokens_(static_cast<std::size_t>(tokens)) {}

    void operator()(const std::string& hook, Lines& x) {
        const auto is = [&](const char* name) { return hook.ends_with(std::string(".") + name); };
        if (is("hook_resid_pre")) before_ = x;
        if (is("hook_pre")) {
            pre_ = x;
            factor_.assign(x.size(), 1);
        }
        if (is("hook_pre_linear")) factor_ = x;
        if (is("hook_attn_scores")) scores_ = x;
        if (op_ == "identity" && is("hook_post"))
            for (std::size_t i : of_positions(x))
                x[i] = pre_[i] * factor_[i];
        if (op_ == "parallel" && is("hook_mlp_in"))
            for (std::size_t i : of_positions(x))
                x[i] = before_[i];
        if (op_ == "sigmoid" && is("hook_pattern"))
            for (std::size_t row = 0; row < x.size() / tokens_; ++row)
                if (row % tokens_ >= 4 && row % tokens_ < 8) squash(row * tokens_, x);
    }

private:
    std::vector<std::size_t> of_positions(const Lines& x) const {
        std::vector<std::size_t> all;
        for (std::size_t i = 4 * x.size() / tokens_; i < 8 * x.size() / tokens_; ++i)
            all.push_back(i);
        return all;
    }
    void squash(std::size_t first, Lines& x) const {
        double seen = 0;
        for (std::size_t j = 0; j < tokens_; ++j)
            seen += std::isfinite(scores_[first + j]) ? 1 : 0;
        for (std::size_t j = 0; j < tokens_; ++j)
            x[first + j] = 1 / (1 + std::exp(std::log(seen) - scores_[first + j]));
    }

    std::string op_;
    std::size_t tokens_;
    Lines before_, pre_, factor_, scores_;
};

} // namespace

class TestBlocks : public QObject {
    Q_OBJECT

    std::map<QString, std::unique_ptr<backend::Backend>> devices_;

    static void rows() {
        QTest::addColumn<int>("index");
        QTest::addColumn<QString>("device");
        const auto all = cases();
        std::vector<std::string> devices{oracle};
        for (const backend::DeviceInfo& device : backend::list_devices())
            if (device.id == "cpu" || device.id == "vulkan:0") devices.push_back(device.id);
        for (const std::string& device : devices)
            for (std::size_t i = 0; i < all.size(); ++i)
                QTest::newRow(fmt::format("{} on {}", all[i].name, device).c_str())
                    << static_cast<int>(i) << QString::fromStdString(device);
    }

    Subject subject() {
        QFETCH(int, index);
        QFETCH(QString, device);
        const Case chosen = cases()[static_cast<std::size_t>(index)];
        Subject subject;
        subject.model = std::make_unique<model::Model>(test::made_model(chosen.spec, chosen.biases));
        if (device == oracle) {
            backend::DeviceInfo cpu; // whose oracle is in float64
            cpu.id = "cpu";
            auto loaded = backend::load_oracle(*subject.model, cpu, 2);
            if (!loaded) qFatal("%s", loaded.error().message.c_str());
            subject.loaded = std::move(*loaded);
            return subject;
        }
        auto& backend = devices_[device];
        if (!backend) {
            auto opened = backend::open_backend(device.toStdString(), 2);
            if (!opened) qFatal("%s", opened.error().message.c_str());
            backend = std::move(*opened);
        }
        auto loaded = backend->load(*subject.model, backend::Precision::exact, {}, {});
        if (!loaded) qFatal("%s", loaded.error().message.c_str());
        subject.loaded = std::move(*loaded);
        return subject;
    }

    static run::RunResult run(const Subject& subject, const run::RunSpec& spec) {
        auto result = run::run(*subject.loaded, *subject.model, spec, {}, {});
        if (!result) qFatal("%s", result.error().message.c_str());
        return std::move(*result);
    }

    static std::vector<std::string> every_hook(const Subject& subject) {
        std::vector<std::string> names;
        for (const model::HookInfo& hook : model::hooks_of(subject.model->spec))
            names.push_back(hook.name);
        return names;
    }

    static run::RunSpec all_logits(const std::vector<std::vector<int>>& texts) {
        run::RunSpec spec;
        for (const auto& ids : texts)
            spec.rows.push_back(row_of(ids));
        spec.choice = run::PositionChoice::all;
        spec.logits = true;
        return spec;
    }

private slots:
    void initTestCase() { qputenv("VITRINE_VULKAN_VALIDATION", "1"); }
    void cleanupTestCase() {
        QVERIFY(backend::vulkan::validation_messages() <= 0);
        devices_.clear(); // before the Vulkan driver is unloaded
    }

    void every_hook_holds_what_plain_loops_compute_data() { rows(); }
    void every_hook_holds_what_plain_loops_compute() {
        const Subject made = subject();
        // Shorter and longer than the windows and than what longrope and dynamic rotation turn at.
        const std::vector<std::vector<int>> texts{ids_of(13, 1), ids_of(3, 5), ids_of(9, 2), ids_of(21, 3)};
        run::RunSpec spec = all_logits(texts);
        spec.captures = every_hook(made);
        const run::RunResult result = run(made, spec);
        const auto hooks = model::hooks_of(made.model->spec);
        for (std::size_t row = 0; row < texts.size(); ++row) {
            std::map<std::string, Lines> expected;
            const auto record = [&](const std::string& hook, Lines& value) { expected[hook] = value; };
            PlainForward(*made.model, record, true).logits(texts[row]);
            const Lines logits = PlainForward(*made.model, record).logits(texts[row]);
            QVERIFY(close(result.rows[row].logits.data, logits, "logits"));
            double sum = 0;
            const std::size_t vocab = 37;
            for (std::size_t n = 0; n + 1 < texts[row].size(); ++n) {
                double total = 0;
                for (std::size_t id = 0; id < vocab; ++id)
                    total += std::exp(logits[n * vocab + id]);
                sum += std::log(total) - logits[n * vocab + static_cast<std::size_t>(texts[row][n + 1])];
            }
            QVERIFY(std::abs(result.rows[row].loss - sum / static_cast<double>(texts[row].size() - 1)) <
                    1e-4);
            for (const model::HookInfo& hook : hooks) {
                const run::Captured* ours = result.rows[row].find(hook.name);
                QVERIFY2(ours != nullptr, hook.name.c_str());
                QVERIFY2(expected.contains(hook.name), hook.name.c_str());
                QVERIFY(close(ours->tensor.data, expected[hook.name], hook.name));
            }
            QCOMPARE(expected.size(), hooks.size());
        }
    }

    void an_edit_at_any_hook_acts_there_data() { rows(); }
    void an_edit_at_any_hook_acts_there() {
        const Subject made = subject();
        const std::vector<int> ids = ids_of(11, 1);
        constexpr std::size_t position = 4;
        for (const model::HookInfo& hook : model::hooks_of(made.model->spec)) {
            run::RunSpec spec = all_logits({ids});
            auto edit = run::parse_edit(fmt::format("{} pos={} scale 0.5", hook.name, position));
            QVERIFY(edit.has_value());
            spec.edits = {*edit};
            spec.captures = {hook.name};
            const run::RunResult result = run(made, spec);

            const bool per_head = hook.name.ends_with("attn_in") || hook.name.ends_with("_input");
            Lines value;
            const auto halve = [&](const std::string& name, Lines& x) {
                if (name != hook.name) return;
                const bool pairs = hook.axes.back() == "key";
                const auto heads = static_cast<std::size_t>(pairs ? hook.shape[1] : 1);
                const std::size_t line = x.size() / heads / ids.size();
                for (std::size_t head = 0; head < heads; ++head)
                    for (std::size_t c = 0; c < line; ++c)
                        x[(head * ids.size() + position) * line + c] *= 0.5;
                value = x;
            };
            const Lines logits = PlainForward(*made.model, halve, per_head).logits(ids);
            QVERIFY2(!value.empty(), hook.name.c_str());
            QVERIFY(close(result.rows[0].find(hook.name)->tensor.data, value, hook.name));
            QVERIFY(close(result.rows[0].logits.data, logits, "logits after editing " + hook.name));
        }
    }

    void one_operation_in_place_of_another_data() { rows(); }
    void one_operation_in_place_of_another() {
        const Subject made = subject();
        const std::vector<int> ids = ids_of(11, 1);
        const std::vector<float> clean = run(made, all_logits({ids})).rows[0].logits.data;
        const std::pair<const char*, const char*> places[] = {{"identity", "blocks.*.mlp.hook_post"},
                                                              {"sigmoid", "*.hook_pattern"},
                                                              {"parallel", "*.hook_mlp_in"}};
        for (const auto& [op, hook] : places) {
            run::RunSpec spec = all_logits({ids, ids});
            auto edit = run::parse_edit(fmt::format("{} row=0 pos=4:8 {}", hook, op));
            QVERIFY(edit.has_value());
            spec.edits = {*edit};
            if (made.model->spec.parallel && std::string(op) == "parallel") {
                const auto refused = run::run(*made.loaded, *made.model, spec, {}, {});
                QVERIFY(!refused && refused.error().message.find("already") != std::string::npos);
                continue;
            }
            const run::RunResult result = run(made, spec);
            const Lines logits = PlainForward(*made.model, Replacement(op, 11)).logits(ids);
            QVERIFY(close(result.rows[0].logits.data, logits, std::string("logits with ") + op));
            QVERIFY(result.rows[0].logits.data != clean);
            QCOMPARE(result.rows[1].logits.data, clean);
        }
    }

    void captures_and_company_change_no_bits_data() { rows(); }
    void captures_and_company_change_no_bits() {
        const Subject made = subject();
        const run::RunResult alone = run(made, all_logits({ids_of(12, 1)}));
        run::RunSpec spec = all_logits({ids_of(5, 2), ids_of(12, 1), ids_of(30, 3)});
        spec.captures = every_hook(made);
        const run::RunResult together = run(made, spec);
        QCOMPARE(together.rows[1].logits.data, alone.rows[0].logits.data);
        // The split ops give the bits of the whole ones: an edit that changes nothing goes through them.
        spec.captures.clear();
        for (const char* hook : {"*attn_scores", "*hook_scale"}) {
            auto edit = run::parse_edit(fmt::format("{} row=0 scale 1", hook));
            QVERIFY(edit.has_value());
            if (model::match_hooks(made.model->spec, hook)) spec.edits.push_back(*edit);
        }
        QCOMPARE(run(made, spec).rows[1].logits.data, alone.rows[0].logits.data);
    }

    void decoding_continues_as_if_the_row_were_read_again_data() { rows(); }
    void decoding_continues_as_if_the_row_were_read_again() {
        const Subject made = subject();
        // From below the window and the turning length to beyond both.
        run::GenerateSpec spec;
        spec.prompt.rows = {row_of(ids_of(3, 1)), row_of(ids_of(8, 2)), row_of(ids_of(12, 4))};
        spec.prompt.captures = {"blocks.1.hook_resid_post"};
        spec.max_new = 12;
        const auto result = run::generate(*made.loaded, *made.model, spec, {}, {}, {});
        QVERIFY2(result.has_value(), result ? "" : result.error().message.c_str());
        for (std::size_t row = 0; row < 3; ++row) {
            std::vector<int> ids(spec.prompt.rows[row].ids.begin(), spec.prompt.rows[row].ids.end());
            for (const run::GenerateStep& step : result->rows[row].steps) {
                Lines residual;
                const Lines logits = PlainForward(*made.model, [&](const std::string& hook, Lines& x) {
                                         if (hook == "blocks.1.hook_resid_post") residual = x;
                                     }).logits(ids);
                const Lines last(logits.end() - 37, logits.end());
                const auto best = std::max_element(last.begin(), last.end());
                double total = 0;
                for (const double x : last)
                    total += std::exp(x - *best);
                QCOMPARE(step.id, static_cast<std::int32_t>(best - last.begin()));
                QVERIFY(std::abs(step.prob - 1 / total) < 1e-4);
                QVERIFY(close(step.captures[0].tensor.data, Lines(residual.end() - 20, residual.end()),
                              "residual stream while decoding"));
                ids.push_back(step.id);
            }
            QCOMPARE(result->rows[row].steps.size(), std::size_t{12});
        }
    }
};

QTEST_GUILESS_MAIN(TestBlocks)
#include "test_blocks.moc"
