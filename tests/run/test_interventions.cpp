// What an edit means, by identities that hold whatever the weights are; and that captures, company in a batch
// and splitting change no bits.
#include <cmath>

#include <QtTest>
#include <fmt/format.h>

#include "core/run/generate.h"
#include "core/run/sampler.h"
#include "tests/run/loaded.h"

using namespace vitrine;
using run::RunResult;
using run::RunSpec;
using test::Loaded;

namespace {

RunSpec spec_of(const std::vector<std::string>& captures, const std::vector<std::string>& edits = {}) {
    RunSpec spec;
    spec.rows = {{{5, 17, 2, 99, 43, 17, 2}, {}}, {{7, 8, 9, 10}, {}}};
    spec.captures = captures;
    for (const std::string& text : edits) {
        auto edit = run::parse_edit(text);
        if (!edit) qFatal("%s", edit.error().message.c_str());
        spec.edits.push_back(*edit);
    }
    spec.choice = run::PositionChoice::all;
    spec.logits = true;
    return spec;
}

const Tensor& value(const RunResult& result, const std::string& hook, std::size_t row = 0) {
    const auto* captured = result.rows[row].find(hook);
    if (captured == nullptr) qFatal("%s was not captured", hook.c_str());
    return captured->tensor;
}

double gap(const Tensor& a, const Tensor& b) {
    if (a.shape != b.shape) qFatal("shapes differ");
    double largest = 0;
    for (std::size_t i = 0; i < a.data.size(); ++i)
        largest =
            std::max(largest, std::abs(static_cast<double>(a.data[i]) - static_cast<double>(b.data[i])));
    return largest;
}

/// Device that pretends to have little memory, so that the runner must split.
class Cramped : public backend::LoadedModel {
public:
    Cramped(backend::LoadedModel& model, std::uint64_t bytes) : model_(model), bytes_(bytes) {}
    const backend::DeviceInfo& device() const override { return model_.device(); }
    backend::Precision precision() const override { return model_.precision(); }
    std::uint64_t resident_bytes() const override { return model_.resident_bytes(); }
    backend::Limits limits() const override { return {std::uint64_t{1} << 40, bytes_}; }
    Result<std::unique_ptr<backend::KvCache>> make_cache(int rows, int capacity) override {
        return model_.make_cache(rows, capacity);
    }
    Result<backend::Outputs> execute(const run::Plan& plan, backend::KvCache* cache,
                                     const CancelToken& cancel, const Progress& progress) override {
        ++plans;
        return model_.execute(plan, cache, cancel, progress);
    }
    int plans = 0;

private:
    backend::LoadedModel& model_;
    std::uint64_t bytes_;
};

} // namespace

class TestInterventions : public QObject {
    Q_OBJECT

    static void models() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("device");
        for (const std::string& device : test::devices())
            for (const char* name : {"gpt2-random", "llama-random"})
                QTest::newRow(fmt::format("{} on {}", name, device).c_str())
                    << name << QString::fromStdString(device);
    }

    std::map<std::pair<std::string, std::string>, std::unique_ptr<Loaded>> open_;

    const Loaded& model() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        auto& slot = open_[{name.toStdString(), device.toStdString()}];
        if (!slot) slot = std::make_unique<Loaded>(test::fixture(name.toStdString()), device.toStdString());
        return *slot;
    }

private slots:
    void cleanupTestCase() { open_.clear(); } // before the Vulkan driver is unloaded

    void captures_change_no_bits_data() { models(); }
    void captures_change_no_bits() {
        const RunResult plain = model().run(spec_of({}));
        const RunResult full = model().run(spec_of({"*", "*result*", "*_input", "*mlp_in"}));
        for (std::size_t row = 0; row < 2; ++row) {
            QCOMPARE(full.rows[row].logits.data, plain.rows[row].logits.data);
            QCOMPARE(full.rows[row].loss, plain.rows[row].loss);
        }
    }

    void company_changes_no_bits_data() { models(); }
    void company_changes_no_bits() {
        RunSpec alone = spec_of({"*hook_resid_post"});
        alone.rows.erase(alone.rows.begin());
        const RunResult single = model().run(alone);
        const RunResult pair = model().run(spec_of({"*hook_resid_post"}));
        QCOMPARE(single.rows[0].logits.data, pair.rows[1].logits.data);
        for (const auto& captured : single.rows[0].captures)
            QCOMPARE(captured.tensor.data, value(pair, captured.hook, 1).data);
    }

    void splitting_changes_no_bits_data() { models(); }
    void splitting_changes_no_bits() {
        RunSpec spec = spec_of({"*hook_z"}, {"blocks.1.attn.hook_z row=1,5 head=1 zero"});
        for (int extra = 0; extra < 6; ++extra)
            spec.rows.push_back(spec.rows[static_cast<std::size_t>(extra) % 2]);
        const RunResult whole = model().run(spec);
        Cramped cramped(*model().loaded, 60000);
        const auto split = run::run(cramped, *model().model, spec, {}, {});
        QVERIFY(split.has_value());
        QVERIFY(cramped.plans > 1);
        for (std::size_t row = 0; row < spec.rows.size(); ++row) {
            QCOMPARE(split->rows[row].logits.data, whole.rows[row].logits.data);
            QCOMPARE(value(*split, "blocks.1.attn.hook_z", row).data,
                     value(whole, "blocks.1.attn.hook_z", row).data);
        }
    }

    void putting_back_what_was_there_changes_nothing_data() { models(); }
    void putting_back_what_was_there_changes_nothing() {
        const RunResult clean = model().run(spec_of({}));
        for (const char* hook : {"blocks.1.hook_resid_pre", "blocks.0.attn.hook_q", "blocks.2.attn.hook_z",
                                 "blocks.1.hook_mlp_out", "blocks.2.mlp.hook_post"}) {
            const RunResult same = model().run(spec_of({}, {fmt::format("{} row=0 from row=0", hook)}));
            QCOMPARE(same.rows[0].logits.data, clean.rows[0].logits.data);
        }
        // Through the split ops: the pattern put back must give the clean output too, to rounding.
        const RunResult same = model().run(spec_of({}, {"blocks.1.attn.hook_pattern row=0 from row=0"}));
        QVERIFY(gap(same.rows[0].logits, clean.rows[0].logits) < 1e-5);
    }

    void a_head_set_to_zero_takes_its_result_away_data() { models(); }
    void a_head_set_to_zero_takes_its_result_away() {
        const RunResult clean = model().run(spec_of({"blocks.1.attn.hook_result", "blocks.1.hook_attn_out"}));
        const RunResult by_z = model().run(spec_of({"blocks.1.hook_attn_out"}, {"L1H2 zero"}));
        const RunResult by_result =
            model().run(spec_of({"blocks.1.hook_attn_out"}, {"blocks.1.attn.hook_result head=2 zero"}));
        const Tensor& result = value(clean, "blocks.1.attn.hook_result");
        Tensor expected = value(clean, "blocks.1.hook_attn_out");
        const auto d = static_cast<std::size_t>(model().model->spec.d_model);
        const auto heads = static_cast<std::size_t>(model().model->spec.heads);
        for (std::size_t i = 0; i < expected.data.size(); ++i)
            expected.data[i] -= result.data[(i / d * heads + 2) * d + i % d];
        QVERIFY(gap(value(by_z, "blocks.1.hook_attn_out"), expected) < 1e-5);
        QVERIFY(gap(value(by_result, "blocks.1.hook_attn_out"), expected) < 1e-5);
        QVERIFY(gap(by_z.rows[0].logits, clean.rows[0].logits) > 1e-4); // it does something
    }

    void a_masked_key_leaves_a_row_that_sums_to_one_data() { models(); }
    void a_masked_key_leaves_a_row_that_sums_to_one() {
        const std::string hook = "blocks.1.attn.hook_pattern";
        const RunResult clean = model().run(spec_of({hook}));
        const RunResult masked =
            model().run(spec_of({hook}, {"blocks.1.attn.hook_attn_scores pos=1:7 key=0 mask"}));
        const Tensor& before = value(clean, hook);
        const Tensor& after = value(masked, hook);
        const std::int64_t heads = before.shape[0];
        const std::int64_t t = before.shape[1];
        for (std::int64_t h = 0; h < heads; ++h)
            for (std::int64_t q = 1; q < t; ++q) {
                const auto row = static_cast<std::size_t>((h * t + q) * t);
                QCOMPARE(after.data[row], 0.0F);
                double sum = 0;
                for (std::size_t k = 0; k < static_cast<std::size_t>(t); ++k) {
                    sum += static_cast<double>(after.data[row + k]);
                    // Four roundings of the masked weight, which is near 1, count 1 / rest times as much.
                    const float rest = 1 - before.data[row], want = before.data[row + k] / rest;
                    if (k > 0) QVERIFY(std::abs(after.data[row + k] - want) < 1e-6F + 2.4e-7F * want / rest);
                }
                QVERIFY(std::abs(sum - 1) < 1e-5);
            }
        // Zero on the pattern does not renormalise.
        const RunResult zeroed = model().run(spec_of({hook}, {hook + " pos=3 key=0 zero"}));
        const auto row = static_cast<std::size_t>(3 * t);
        QCOMPARE(value(zeroed, hook).data[row + 1], before.data[row + 1]);
    }

    void fully_masked_queries_attend_to_nothing_data() { models(); }
    void fully_masked_queries_attend_to_nothing() {
        const RunResult masked = model().run(spec_of({"blocks.0.attn.hook_pattern", "blocks.0.attn.hook_z"},
                                                     {"blocks.0.attn.hook_attn_scores row=0 pos=2 mask"}));
        const Tensor& z = value(masked, "blocks.0.attn.hook_z");
        const std::int64_t width = z.shape[1] * z.shape[2];
        for (std::int64_t i = 0; i < width; ++i)
            QCOMPARE(z.data[static_cast<std::size_t>(2 * width + i)], 0.0F);
    }

    void a_doubled_scale_halves_the_normalised_input_data() { models(); }
    void a_doubled_scale_halves_the_normalised_input() {
        const std::string hook = "blocks.1.ln1.hook_normalized";
        const RunResult clean = model().run(spec_of({hook}));
        const RunResult edited = model().run(spec_of({hook}, {"blocks.1.ln1.hook_scale scale 2"}));
        Tensor expected = value(clean, hook);
        for (float& x : expected.data)
            x /= 2;
        QVERIFY(gap(value(edited, hook), expected) < 1e-6);
    }

    void split_inputs_compute_the_same_data() { models(); }
    void split_inputs_compute_the_same() {
        const RunResult clean = model().run(spec_of({"blocks.1.attn.hook_q", "blocks.1.attn.hook_k"}));
        for (const char* edit : {"blocks.1.hook_q_input add 0", "blocks.1.hook_k_input add 0"}) {
            const RunResult same = model().run(spec_of({}, {edit}));
            QVERIFY(gap(same.rows[0].logits, clean.rows[0].logits) < 1e-5);
        }
        const RunResult edited = model().run(spec_of({"blocks.1.attn.hook_q", "blocks.1.attn.hook_k"},
                                                     {"blocks.1.hook_q_input head=1 add 3"}));
        const Tensor& before = value(clean, "blocks.1.attn.hook_q");
        const Tensor& after = value(edited, "blocks.1.attn.hook_q");
        const std::int64_t heads = before.shape[1];
        const std::int64_t width = before.shape[2];
        double changed = 0;
        for (std::size_t i = 0; i < before.data.size(); ++i) {
            const double here =
                std::abs(static_cast<double>(after.data[i]) - static_cast<double>(before.data[i]));
            if (static_cast<std::int64_t>(i) / width % heads == 1)
                changed = std::max(changed, here);
            else
                QVERIFY(here < 1e-5);
        }
        // LayerNorm takes a constant shift away again, RMSNorm does not.
        QVERIFY(model().model->spec.norm.kind == model::NormKind::layer ? changed < 1e-3 : changed > 1e-2);
        QVERIFY(gap(value(edited, "blocks.1.attn.hook_k"), value(clean, "blocks.1.attn.hook_k")) < 1e-5);
    }

    void a_mean_is_the_mean_of_every_token_data() { models(); }
    void a_mean_is_the_mean_of_every_token() {
        const std::string hook = "blocks.1.hook_mlp_out";
        const RunResult clean = model().run(spec_of({hook}));
        const RunResult edited = model().run(spec_of({hook}, {hook + " row=0 pos=2 mean"}));
        const auto d = static_cast<std::size_t>(model().model->spec.d_model);
        for (std::size_t c = 0; c < d; ++c) {
            double sum = 0;
            double count = 0;
            for (std::size_t row = 0; row < 2; ++row) {
                const Tensor& tensor = value(clean, hook, row);
                for (std::size_t i = c; i < tensor.data.size(); i += d, ++count)
                    sum += static_cast<double>(tensor.data[i]);
            }
            QVERIFY(std::abs(static_cast<double>(value(edited, hook).data[2 * d + c]) - sum / count) < 1e-6);
        }
    }

    void a_mean_by_position_is_over_the_rows_that_have_it_data() { models(); }
    void a_mean_by_position_is_over_the_rows_that_have_it() {
        const std::string hook = "blocks.1.attn.hook_v";
        const RunResult clean = model().run(spec_of({hook}));
        const RunResult edited = model().run(spec_of({hook}, {hook + " mean by=position"}));
        const Tensor& a = value(clean, hook, 0);
        const Tensor& b = value(clean, hook, 1);
        for (std::size_t row = 0; row < 2; ++row) {
            const Tensor& got = value(edited, hook, row);
            for (std::size_t i = 0; i < got.data.size(); ++i) {
                double sum = 0;
                double count = 0;
                for (const Tensor* tensor : {&a, &b})
                    if (i < tensor->data.size()) {
                        sum += static_cast<double>(tensor->data[i]);
                        ++count;
                    }
                QVERIFY(std::abs(static_cast<double>(got.data[i]) - sum / count) < 1e-6);
            }
        }
        QVERIFY(!run::run(*model().loaded, *model().model,
                          spec_of({}, {hook + " mean by=position exclude=special"}), {}, {}));
    }

    void directions_can_be_taken_out_and_capped_data() { models(); }
    void directions_can_be_taken_out_and_capped() {
        const std::string hook = "blocks.1.hook_resid_pre";
        const auto d = static_cast<std::size_t>(model().model->spec.d_model);
        Tensor direction({static_cast<std::int64_t>(d)});
        double norm = 0;
        for (std::size_t c = 0; c < d; ++c) {
            direction.data[c] = std::sin(static_cast<float>(c) + 0.5F);
            norm += std::pow(static_cast<double>(direction.data[c]), 2);
        }
        norm = std::sqrt(norm);
        const auto projections = [&](const RunResult& result) {
            std::vector<double> found;
            const Tensor& tensor = value(result, hook);
            for (std::size_t pos = 0; pos * d < tensor.data.size(); ++pos) {
                double dot = 0;
                for (std::size_t c = 0; c < d; ++c)
                    dot += static_cast<double>(tensor.data[pos * d + c]) *
                           static_cast<double>(direction.data[c]) / norm;
                found.push_back(dot);
            }
            return found;
        };
        const auto run_with = [&](const std::string& edit) {
            RunSpec spec = spec_of({hook}, {edit});
            spec.edits[0].tensor = std::make_shared<const Tensor>(direction);
            return model().run(spec);
        };
        for (const double left : projections(run_with(hook + " project-out @d.npy")))
            QVERIFY(std::abs(left) < 1e-5);
        const auto before = projections(model().run(spec_of({hook})));
        const auto after = projections(run_with(hook + " cap 0.05 @d.npy"));
        for (std::size_t i = 0; i < before.size(); ++i)
            QVERIFY(std::abs(after[i] - std::min(before[i], 0.05)) < 1e-5);
    }

    void generation_equals_a_fresh_forward_on_the_finished_text_data() { models(); }
    void generation_equals_a_fresh_forward_on_the_finished_text() {
        run::GenerateSpec generate;
        generate.prompt =
            spec_of({"blocks.2.attn.hook_pattern"}, {"blocks.1.attn.hook_z head=1 pos=new scale 0.5"});
        generate.max_new = 9;
        const auto generated = run::generate(*model().loaded, *model().model, generate, {}, {}, {});
        QVERIFY(generated.has_value());
        for (std::size_t row = 0; row < 2; ++row) {
            const auto& steps = generated->rows[row].steps;
            QCOMPARE(steps.size(), std::size_t{9});
            const auto prompt = static_cast<int>(generate.prompt.rows[row].ids.size());
            RunSpec fresh =
                spec_of({"blocks.2.attn.hook_pattern"},
                        {fmt::format("blocks.1.attn.hook_z head=1 pos={}:{} scale 0.5", prompt, prompt + 9)});
            fresh.rows = {generate.prompt.rows[row]};
            for (const auto id : generated->rows[row].new_ids)
                fresh.rows[0].ids.push_back(id);
            const RunResult result = model().run(fresh);
            const auto vocab = static_cast<std::size_t>(model().model->spec.vocab);
            for (std::size_t step = 0; step < steps.size(); ++step) {
                const std::size_t query = static_cast<std::size_t>(prompt) + step - 1;
                const auto logits = std::span(result.rows[0].logits.data).subspan(query * vocab, vocab);
                const auto distribution = run::distribution_of(logits);
                QCOMPARE(steps[step].pos, static_cast<int>(query) + 1);
                QVERIFY(std::abs(distribution.entropy - steps[step].entropy) < 1e-4);
                const Tensor& pattern = steps[step].captures.front().tensor;
                QCOMPARE(pattern.shape[2], static_cast<std::int64_t>(query) + 1);
                const Tensor& whole = value(result, "blocks.2.attn.hook_pattern");
                for (std::size_t k = 0; k <= query; ++k)
                    QVERIFY(std::abs(pattern.data[k] -
                                     whole.data[query * static_cast<std::size_t>(whole.shape[2]) + k]) <
                            1e-5F);
            }
        }
    }

    void what_cannot_run_says_why_data() {
        QTest::addColumn<QString>("change");
        QTest::addColumn<QString>("code");
        QTest::newRow("no rows") << "norows"
                                 << "usage";
        QTest::newRow("empty row") << "empty"
                                   << "usage";
        QTest::newRow("longer than the context") << "long"
                                                 << "out-of-range";
        QTest::newRow("id outside") << "id"
                                    << "out-of-range";
        QTest::newRow("position outside") << "position"
                                          << "out-of-range";
        QTest::newRow("unknown hook") << "hook"
                                      << "not-found";
    }
    void what_cannot_run_says_why() {
        QFETCH(QString, change);
        QFETCH(QString, code);
        const Loaded gpt2(test::fixture("gpt2-random"), "cpu");
        RunSpec spec = spec_of({});
        if (change == "norows") spec.rows.clear();
        if (change == "empty") spec.rows[1].ids.clear();
        if (change == "long") spec.rows[0].ids.assign(65, 1);
        if (change == "id") spec.rows[0].ids[3] = 300;
        if (change == "hook") spec.captures = {"blocks.9.hook_resid_pre"};
        if (change == "position") {
            spec.choice = run::PositionChoice::list;
            spec.positions = {5};
        }
        const auto result = run::run(*gpt2.loaded, *gpt2.model, spec, {}, {});
        QVERIFY(!result);
        QCOMPARE(std::string(code_name(result.error().code)), code.toStdString());
        QVERIFY(result.error().message.ends_with('.'));
    }
};

QTEST_GUILESS_MAIN(TestInterventions)
#include "test_interventions.moc"
