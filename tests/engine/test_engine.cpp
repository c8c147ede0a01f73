// The engine end to end on a fixture's model: what is done is in the session, what is refused leaves nothing.
#include <QtTest>
#include <cmath>

#include "core/engine/check_cache.h"
#include "core/engine/engine.h"
#include "core/engine/replay.h"
#include "core/run/spec_json.h"
#include "core/store/activation_reader.h"

using namespace vitrine;
using engine::Engine;

namespace {

std::shared_ptr<engine::OpenModel> gpt2(Engine& engine, const std::string& device = "cpu") {
    engine::ModelRequest request;
    request.name = std::string(VITRINE_FIXTURES) + "/models/gpt2-random";
    request.device = device;
    auto model = engine.open_model(request, {}, {});
    if (!model) qFatal("%s", model.error().message.c_str());
    return *model;
}

run::RunSpec spec() {
    run::RunSpec spec;
    spec.rows = {{{1, 2, 3, 4}, {}}};
    spec.captures = {"blocks.1.attn.hook_pattern"};
    return spec;
}

std::vector<session::Step> steps(Engine& engine) {
    auto steps = engine.session()->steps();
    if (!steps) qFatal("%s", steps.error().message.c_str());
    return *steps;
}

} // namespace

class TestEngine : public QObject {
    Q_OBJECT

    const QTemporaryDir cache_; ///< of the verdicts of self-checks

private slots:
    void initTestCase() { qputenv("XDG_CACHE_HOME", cache_.path().toLocal8Bit()); }
    void init() { QVERIFY(QDir(cache_.path() + "/vitrine/checks").removeRecursively()); }

    void a_run_is_a_step_with_its_numbers() {
        const QTemporaryDir folder;
        const auto path = std::filesystem::path(folder.path().toStdString()) / "a.vitrine";
        Engine engine;
        QVERIFY(engine.open_session(path));
        const auto model = gpt2(engine);
        const auto record = engine.run(*model, spec(), {}, {});
        QVERIFY2(record.has_value(), record ? "" : record.error().message.c_str());
        QCOMPARE(record->step, std::int64_t{1});
        const auto all = steps(engine);
        QCOMPARE(all.size(), std::size_t{1});
        QCOMPARE(all[0].status, session::StepStatus::done);
        QCOMPARE(all[0].precision, std::string("exact"));
        // The journal holds what is needed to run it again.
        const auto again = run::run_spec_from_json(parse_json(all[0].spec, "spec")->at("run"));
        QVERIFY(again.has_value());
        const auto repeated = engine.run(*model, *again, {}, {});
        QCOMPARE(repeated->result.rows[0].captures[0].tensor.data,
                 record->result.rows[0].captures[0].tensor.data);
        // What was captured is in the file, bit for bit.
        const auto detail = engine.session()->step(1);
        QVERIFY(detail.has_value());
        bool found = false;
        for (const auto& artifact : detail->artifacts) {
            if (artifact.dataset != "/row0/blocks.1.attn.hook_pattern") continue;
            found = true;
            auto reader = store::ActivationReader::open(path / artifact.file);
            QVERIFY(reader.has_value());
            const auto tensor = reader->read(artifact.dataset);
            QVERIFY(tensor.has_value());
            QCOMPARE(tensor->data, record->result.rows[0].captures[0].tensor.data);
        }
        QVERIFY(found);
    }

    void what_is_refused_leaves_no_step() {
        const QTemporaryDir folder;
        Engine engine;
        QVERIFY(engine.open_session(std::filesystem::path(folder.path().toStdString()) / "a.vitrine"));
        const auto model = gpt2(engine);
        run::RunSpec wrong = spec();
        wrong.captures = {"blocks.7.hook_resid_pre"};
        QVERIFY(!engine.run(*model, wrong, {}, {}));
        QVERIFY(!engine.analyze(*model, "no-such-analysis", {}, spec().rows, {}, {}));
        QVERIFY(!engine.analyze(*model, "sink-rate", {{"epsilon", 7}}, spec().rows, {}, {}));
        QVERIFY(steps(engine).empty());
    }

    void a_cancelled_run_is_a_cancelled_step() {
        const QTemporaryDir folder;
        Engine engine;
        QVERIFY(engine.open_session(std::filesystem::path(folder.path().toStdString()) / "a.vitrine"));
        const auto model = gpt2(engine);
        CancelToken cancel;
        cancel.cancel();
        const auto record = engine.run(*model, spec(), cancel, {});
        QVERIFY(!record);
        QCOMPARE(record.error().code, Code::cancelled);
        QCOMPARE(steps(engine)[0].status, session::StepStatus::cancelled);
    }

    void a_read_out_is_no_step() {
        const QTemporaryDir folder;
        Engine engine;
        QVERIFY(engine.open_session(std::filesystem::path(folder.path().toStdString()) / "a.vitrine"));
        const auto model = gpt2(engine);
        const auto seen = engine.analyze(*model, "head-entropy", {}, spec().rows, {}, {}, false);
        const auto kept = engine.analyze(*model, "head-entropy", {}, spec().rows, {}, {}, true);
        QVERIFY(seen && kept);
        QCOMPARE(seen->step, 0);
        QCOMPARE(kept->step, 1);
        QCOMPARE(seen->results.front().data, kept->results.front().data);
        QCOMPARE(steps(engine).size(), std::size_t{1});
    }

    void an_analysis_sees_the_edited_model() {
        Engine engine;
        const auto model = gpt2(engine);
        const auto entropy = [&](const char* text) -> Result<engine::AnalysisRecord> {
            const auto edit = run::parse_edit(text);
            return engine.analyze(*model, "head-entropy", {}, spec().rows, {}, {}, false, {{*edit}, {}});
        };
        // All keys but the first hidden from one head: its attention is 1 there, and its entropy 0.
        const auto even = entropy("blocks.1.attn.hook_attn_scores head=2 key=1:4 mask");
        QVERIFY2(even.has_value(), even ? "" : even.error().message.c_str());
        QVERIFY(std::abs(even->results.front().data[1 * 4 + 2]) < 1e-6);
        QVERIFY(even->results.front().data[1 * 4 + 1] > 0.1);
        QVERIFY(even->provenance.contains("edits"));
        const auto refused = entropy("L1H2 row=0 zero");
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, Code::unsupported);
    }

    void an_analysis_is_a_step_with_its_results() {
        const QTemporaryDir folder;
        Engine engine;
        QVERIFY(engine.open_session(std::filesystem::path(folder.path().toStdString()) / "a.vitrine"));
        const auto model = gpt2(engine);
        const auto record = engine.analyze(*model, "head-entropy", {}, spec().rows, {}, {});
        QVERIFY2(record.has_value(), record ? "" : record.error().message.c_str());
        QCOMPARE(record->results.front().name, std::string("entropy"));
        QCOMPARE(record->results.front().data.size(), std::size_t{3 * 4});
        const auto detail = engine.session()->step(record->step);
        QCOMPARE(detail->step.kind, std::string("analyze"));
        QVERIFY(!detail->artifacts.empty());
    }

    void answers_of_rows_are_part_of_the_step() {
        const QTemporaryDir folder;
        Engine engine;
        QVERIFY(engine.open_session(std::filesystem::path(folder.path().toStdString()) / "a.vitrine"));
        const auto model = gpt2(engine);
        run::RunSpec marked = spec();
        marked.rows[0].marks = {{7, 8}, {9}, -2, "clean"};
        const auto with = engine.analyze(*model, "head-entropy", {}, marked.rows, {}, {});
        const auto without = engine.analyze(*model, "head-entropy", {}, spec().rows, {}, {});
        QVERIFY2(with && without, with ? "" : with.error().message.c_str());
        QCOMPARE(with->provenance["marks"],
                 Json::parse(R"([{"answer":[7,8],"distractor":[9],"position":-2,"role":"clean"}])"));
        QVERIFY(!without->provenance.contains("marks"));
        const auto all = steps(engine);
        QVERIFY(all[0].spec_hash != all[1].spec_hash);
        const Json run = (*parse_json(all[0].spec, "spec"))["analyze"]["run"];
        const auto back = run::run_spec_from_json(run);
        QVERIFY(back && back->rows[0].marks == marked.rows[0].marks);
        QCOMPARE(canonical_json(run::to_json(*back)), canonical_json(run));
        const auto replayed = engine::replay(*engine.session(), {}, {}, {});
        QVERIFY2(replayed.has_value(), replayed ? "" : replayed.error().message.c_str());
        for (const auto& drift : replayed->at(0).drift)
            QCOMPARE(drift.comparison.verdict, store::Verdict::identical);
        marked.rows[0].marks.position = 4;
        QCOMPARE(engine.analyze(*model, "head-entropy", {}, marked.rows, {}, {}).error().code,
                 Code::out_of_range);
        marked.rows[0].marks = {{1 << 20}, {}, {}, ""};
        QCOMPARE(engine.analyze(*model, "head-entropy", {}, marked.rows, {}, {}).error().code,
                 Code::out_of_range);
        QCOMPARE(steps(engine).size(), std::size_t{2});
    }

    void a_generation_is_a_step_too() {
        const QTemporaryDir folder;
        Engine engine;
        QVERIFY(engine.open_session(std::filesystem::path(folder.path().toStdString()) / "a.vitrine"));
        const auto model = gpt2(engine);
        run::GenerateSpec generate;
        generate.prompt = spec();
        generate.max_new = 3;
        int seen = 0;
        const auto record =
            engine.generate(*model, generate, [&](const run::GenerateStep&) { ++seen; }, {}, {});
        QVERIFY2(record.has_value(), record ? "" : record.error().message.c_str());
        QCOMPARE(seen, 3);
        QCOMPARE(steps(engine)[0].kind, std::string("generate"));

        // A branch of it: the tokens before are given, so the step replays by itself, and it names its
        // parent.
        run::GenerateSpec branch = generate;
        const auto& ids = record->result.rows.front().new_ids;
        branch.forced = {{0, ids[0]}, {1, ids[1] == 3 ? 4 : 3}};
        const auto left = engine.generate(*model, branch, {}, {}, {}, record->step);
        QVERIFY2(left.has_value(), left ? "" : left.error().message.c_str());
        QCOMPARE(left->result.rows.front().new_ids[0], ids[0]);
        QCOMPARE(left->result.rows.front().new_ids[1], branch.forced.at(1));
        const auto detail = engine.session()->step(left->step);
        QVERIFY(detail && detail->inputs.size() == 1);
        QCOMPARE(detail->inputs[0].role, std::string("parent"));
        QCOMPARE(detail->inputs[0].step.value(), record->step);
        const auto spec_back =
            run::generate_spec_from_json((*parse_json(detail->step.spec, "spec"))["generate"]);
        QVERIFY(spec_back && spec_back->forced == branch.forced);
        const auto replayed = engine::replay(*engine.session(), {}, {}, {});
        QVERIFY2(replayed.has_value(), replayed ? "" : replayed.error().message.c_str());
        QCOMPARE(replayed->size(), std::size_t{2});
        for (const auto& step : *replayed)
            for (const auto& drift : step.drift)
                QCOMPARE(drift.comparison.verdict, store::Verdict::identical);
    }

    void a_replay_that_was_stopped_goes_on() {
        const QTemporaryDir folder;
        Engine engine;
        QVERIFY(engine.open_session(std::filesystem::path(folder.path().toStdString()) / "a.vitrine"));
        const auto model = gpt2(engine);
        for (int i = 0; i < 3; ++i)
            QVERIFY(engine.run(*model, spec(), {}, {}));
        engine::Replay replay;
        CancelToken stop; // told as the second step begins
        const auto stopped = replay.go_on(*engine.session(), stop, [&](double, const std::string& what) {
            if (what == "replaying step 2") stop.cancel();
        });
        QCOMPARE(stopped.error().code, Code::cancelled);
        QVERIFY(engine.run(*model, spec(), {}, {})); // typed meanwhile: no part of the replay
        QStringList again;
        const auto replayed = replay.go_on(*engine.session(), {}, [&](double, const std::string& what) {
            if (what.starts_with("replaying")) again << QString::fromStdString(what);
        });
        QVERIFY2(replayed.has_value(), replayed ? "" : replayed.error().message.c_str());
        QCOMPARE(again, QStringList({"replaying step 2", "replaying step 3"}));
        QCOMPARE(replayed->size(), std::size_t{3});
        for (std::size_t i = 0; i < 3; ++i) {
            QCOMPARE(replayed->at(i).seq, static_cast<std::int64_t>(i) + 1);
            for (const store::Drift& drift : replayed->at(i).drift)
                QCOMPARE(drift.comparison.verdict, store::Verdict::identical);
        }
        Engine other;
        QVERIFY(other.open_session(std::filesystem::path(folder.path().toStdString()) / "b.vitrine"));
        QCOMPARE(replay.go_on(*other.session(), {}, {}).error().code, Code::session);
    }

    void the_self_check_compares_devices() {
        Engine engine;
        for (const auto& info : backend::list_devices()) {
            const auto model = gpt2(engine, info.id);
            const auto check = engine.self_check(*model, {}, {});
            QVERIFY2(check.has_value(), check ? "" : check.error().message.c_str());
            QVERIFY(check->passed);
            QVERIFY(check->max_abs_dlogit > 0); // two ways of computing, not one compared with itself
            QVERIFY(check->max_abs_dlogit <= check->band);
            QVERIFY(check->argmax_agreement);
        }
    }

    void a_verdict_is_kept_for_what_it_was_measured_on() {
        Engine engine;
        const auto model = gpt2(engine);
        const auto first = engine.self_check(*model, {}, {}, true);
        QVERIFY(first && !first->cached && !first->measured.empty());
        const auto second = engine.self_check(*model, {}, {});
        QVERIFY(second && second->cached);
        QCOMPARE(second->max_abs_dlogit, first->max_abs_dlogit);
        QCOMPARE(second->kl, first->kl);
        QCOMPARE(second->measured, first->measured);
        QVERIFY(second->passed);
        // Other weights on the same device, and the same weights on another, are other things.
        const std::string hash = model->model.weights_hash;
        model->model.weights_hash = std::string(64, '0');
        QVERIFY(!engine::known_check(*model));
        model->model.weights_hash.clear();
        QVERIFY(!engine::known_check(*model));
        model->model.weights_hash = hash;
        for (const auto& info : backend::list_devices())
            if (info.id != "cpu") QVERIFY(!engine::known_check(*gpt2(engine, info.id)));
    }

    void an_entry_that_was_changed_is_measured_again() {
        Engine engine;
        const auto model = gpt2(engine);
        QVERIFY(engine.self_check(*model, {}, {}, true).has_value());
        const QDir folder(cache_.path() + "/vitrine/checks");
        for (const QString& name : folder.entryList(QDir::Files)) {
            QFile file(folder.filePath(name));
            QVERIFY(file.open(QIODevice::ReadOnly));
            const QByteArray whole = file.readAll();
            file.close();
            QByteArray wrong = whole;
            wrong.replace("\"passed\": true", "\"passed\": false");
            QVERIFY(wrong != whole);
            for (const QByteArray& bytes :
                 {wrong, whole.left(whole.size() / 2), QByteArray("[]"), QByteArray("{}")}) {
                QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
                file.write(bytes);
                file.close();
                QVERIFY(!engine::known_check(*model));
            }
        }
        const auto check = engine.self_check(*model, {}, {});
        QVERIFY(check && !check->cached && check->passed);
        QVERIFY(engine::known_check(*model).has_value());
    }

    void a_cancelled_check_leaves_no_verdict() {
        Engine engine;
        const auto model = gpt2(engine);
        CancelToken cancel;
        cancel.cancel();
        const auto check = engine.self_check(*model, cancel, {});
        QVERIFY(!check);
        QCOMPARE(check.error().code, Code::cancelled);
        QVERIFY(!engine::known_check(*model));
    }

    void a_broken_device_fails_the_check() {
        Engine engine;
        const auto model = gpt2(engine);
        auto other = gpt2(engine);
        // Weights loaded from one model, described by another: as if the device computed something else.
        engine::ModelRequest request;
        request.name = std::string(VITRINE_FIXTURES) + "/models/gpt2-random";
        auto changed = std::make_unique<model::Model>(model->model);
        Tensor noise({1, changed->spec.d_model});
        for (std::size_t i = 0; i < noise.data.size(); ++i)
            noise.data[i] = 1.0F + 0.3F * static_cast<float>(i % 3);
        auto& weight = changed->weights[static_cast<std::size_t>(changed->find("blocks.1.ln2.w"))];
        weight.data = reinterpret_cast<const std::byte*>(noise.data.data());
        weight.dtype = DType::f32;
        auto loaded = other->backend->load(*changed, backend::Precision::exact, {}, {});
        QVERIFY(loaded.has_value());
        other->loaded = std::move(*loaded);
        const auto check = engine.self_check(*other, {}, {}, true);
        QVERIFY(check.has_value());
        QVERIFY(!check->passed);
        QCOMPARE(check->first_divergent, std::string("blocks.1.hook_resid_post"));
        // The verdict stays, also at the next start; the session says who accepted it, and replay goes past
        // that.
        Engine next;
        const auto kept = next.self_check(*model, {}, {});
        QVERIFY(kept && kept->cached && !kept->passed && !kept->accepted);
        QCOMPARE(kept->max_abs_dlogit, check->max_abs_dlogit);
        QCOMPARE(kept->first_divergent, check->first_divergent);
        const QTemporaryDir folder;
        const auto session = std::filesystem::path(folder.path().toStdString()) / "a.vitrine";
        QVERIFY(next.open_session(session));
        QVERIFY(next.accept_check(*model, *kept).has_value());
        QCOMPARE(steps(next).size(), std::size_t{1});
        QCOMPARE(steps(next)[0].kind, std::string("accept-check"));
        QCOMPARE(steps(next)[0].status, session::StepStatus::done);
        const auto replayed = engine::replay(*next.session(), {}, {}, {});
        QVERIFY2(replayed.has_value(), replayed ? "" : replayed.error().message.c_str());
        QVERIFY(replayed->empty());
        const auto after = engine.self_check(*model, {}, {});
        QVERIFY(after && after->accepted && !after->passed);
        // What works again is measured anew and needs no acceptance.
        const auto good = engine.self_check(*model, {}, {}, true);
        QVERIFY(good && good->passed && !good->accepted && !good->cached);
        other->loaded.reset(); // before what it refers to
    }
};

QTEST_GUILESS_MAIN(TestEngine)
#include "test_engine.moc"
