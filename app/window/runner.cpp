#include "app/window/runner.h"

#include <algorithm>

#include "app/window/edit_texts.h"
#include "app/window/shown_record.h"
#include "core/engine/head_captures.h"

namespace vitrine::window {

namespace {

constexpr int rest_ms = 1500; ///< so long without a keystroke, and the text is recorded

QString sentence_of(const Error& error) { return QString::fromStdString(error.message); }

/// Steps of a run and of the same with interventions; 0: not recorded.
struct Steps {
    std::int64_t clean = 0, edited = 0;
};

} // namespace

Runner::Runner(Bench& bench, views::Desk& desk, QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk), reader_(bench) {
    rest_.setSingleShot(true);
    rest_.setInterval(rest_ms);
    connect(&rest_, &QTimer::timeout, this, &Runner::commit);
    connect(&bench_, &Bench::model_changed, this, [this] {
        reader_.forget_chat();
        emit form_changed();
        set_text(text_);
        reader_.read_chat();
    });
    connect(&reader_, &PromptReader::chat_read, this, [this] {
        emit form_changed();
        if (form_.chat) set_text(text_);
    });
    desk_.edits.check = [this](const QString& text) { return problem_of_edit(bench_.model().get(), text); };
    connect(&desk_.edits, &views::EditList::changed, this, &Runner::edits_changed);
    connect(&bench_, &Bench::cancelled, this, [this] { desk_.set_stale(false); });
}

void Runner::show_recorded(const QString& text, const QStringList& edits, std::int64_t step) {
    adopted_step_ = step;
    adopted_text_ = text;
    adopted_edits_ = edits;
    restoring_ = true;
    std::vector<views::Edit> all = desk_.edits.all();
    for (views::Edit& edit : all)
        edit.on = false;
    for (const QString& wanted : edits) {
        const auto known = std::find_if(all.begin(), all.end(),
                                        [&](const views::Edit& edit) { return edit.text == wanted; });
        if (known != all.end())
            known->on = true;
        else
            all.push_back({wanted, true});
    }
    // They apply in their order: where the list has another one, the recorded ones follow the others.
    QStringList order;
    for (const views::Edit& edit : all)
        if (edit.on) order << edit.text;
    if (order != edits) {
        std::erase_if(all, [](const views::Edit& edit) { return edit.on; });
        for (const QString& wanted : edits)
            all.push_back({wanted, true});
    }
    desk_.edits.set_all(std::move(all));
    restoring_ = false;
    set_text(text);
}

void Runner::edits_changed() {
    desk_.edits.set_problem({});
    if (restoring_ || !row_ || !bench_.model()) return;
    since_keystroke_.start();
    desk_.set_stale(true);
    start(false);
}

Result<std::optional<run::RunRow>> Runner::row_beside(const QStringList& edits) const {
    const bool wanted = std::any_of(edits.begin(), edits.end(), [](const QString& text) {
        return text.contains(QStringLiteral("from row=1"));
    });
    if (!wanted) return std::optional<run::RunRow>();
    if (!desk_.pinned())
        return fail(Code::usage,
                    "\"from row=1\" reads the pinned run, and none is pinned: pin one in the list of runs.");
    run::RunRow row;
    for (const figure::Token& token : desk_.pinned()->tokens) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
    }
    return std::optional<run::RunRow>(row);
}

void Runner::set_text(const QString& text) {
    text_ = text;
    since_keystroke_.start();
    rest_.stop();
    row_.reset();
    desk_.set_stale(false);
    if (!bench_.model()) return;
    Encoded now;
    auto row = reader_.encode(text, form_, now);
    emit encoded(now);
    if (!row) {
        emit refused(sentence_of(row.error()));
        return;
    }
    if (row->ids.empty()) {
        emit refused(tr("The prompt is empty: type something."));
        return;
    }
    const int context = bench_.model()->model.spec.context;
    if (context > 0 && static_cast<int>(row->ids.size()) > context) {
        emit refused(tr("The prompt has %1 tokens, the model reads at most %2: shorten it.")
                         .arg(row->ids.size())
                         .arg(context));
        return;
    }
    row_ = std::move(*row);
    desk_.set_stale(true);
    start(false);
}

void Runner::start(bool record) {
    const auto model = bench_.model();
    const run::RunSpec spec = spec_of(model->model.spec, *row_);
    // A long run is recorded as it was made, once typing rests.
    if (attention::patterns_are_too_large(model->model.spec, static_cast<std::int64_t>(row_->ids.size())))
        record = false;
    const QString prompt = text_;
    const QStringList edits = desk_.edits.on_prompt();
    const auto beside = row_beside(edits);
    const bool clean_is_recorded = recorded_ids_ == row_->ids && recorded_model_ == model->model.weights_hash;
    const bool adopted = adopted_step_ != 0 && prompt == adopted_text_ && edits == adopted_edits_;
    bench_.post(
        this, record ? "record" : "prompt", record ? "record the run" : "run the prompt",
        [=, specials = specials()](engine::Engine& engine, const CancelToken& cancel,
                                   const Progress& progress) -> Result<Answer> {
            Answer answer;
            VITRINE_ASSIGN(answer.clean, engine.run(*model, spec, cancel, progress,
                                                    record && !clean_is_recorded && !adopted));
            if (edits.empty()) return answer;
            auto edited = [&]() -> Result<engine::RunRecord> {
                VITRINE_ASSIGN(const auto changes, changes_of(*model, edits, specials));
                run::RunSpec changed = spec_of(model->model.spec, spec.rows.front(), changes);
                if (!beside) return tl::unexpected(beside.error());
                if (*beside) changed.rows.push_back(**beside);
                return engine.run(*model, changed, cancel, progress, record && !adopted);
            }();
            if (edited)
                answer.edited = std::move(*edited);
            else
                answer.problem = sentence_of(edited.error());
            return answer;
        },
        [this, model, prompt, edits, record](Result<Answer> answer) {
            if (answer) {
                show(model, std::move(*answer), prompt, edits, record);
            } else {
                desk_.set_stale(false);
                if (answer.error().code != Code::cancelled) emit refused(sentence_of(answer.error()));
            }
        });
}

void Runner::show(const std::shared_ptr<engine::OpenModel>& model, Answer answer, const QString& prompt,
                  const QStringList& edits, bool record) {
    const bool adopted = !record && adopted_step_ != 0 && prompt == adopted_text_ && edits == adopted_edits_;
    if (adopted) (answer.edited ? *answer.edited : answer.clean).step = adopted_step_;
    if (record || adopted) {
        recorded_ids_ = answer.clean.spec.rows.front().ids;
        recorded_model_ = model->model.weights_hash;
        recorded_edits_ = edits;
    }
    const QString problem = answer.problem;
    const auto last_step = std::max(answer.clean.step, answer.edited ? answer.edited->step : 0);
    // Something newer on the way stays newer.
    if (prompt == text_ && model == bench_.model() && edits == desk_.edits.on_prompt()) {
        views::RunPtr clean = run_of(model, answer.clean, prompt);
        views::RunPtr changed;
        if (answer.edited) {
            auto edited = std::make_shared<views::ShownRun>(*run_of(model, *answer.edited, prompt));
            edited->edits = edits;
            edited->provenance["edits"] = Json::array();
            for (const QString& text : edits)
                edited->provenance["edits"].push_back(text.toStdString());
            if (answer.edited->spec.rows.size() > 1) edited->beside = answer.edited->spec.rows[1].ids;
            changed = std::move(edited);
        }
        // A recorded run is the one already shown, now with its step and the time that was waited for.
        const auto kept = [&](const views::RunPtr& before, const views::RunPtr& now) {
            if (!record || desk_.stale() || !before || !now || before->prompt != prompt) return now;
            auto out = std::make_shared<views::ShownRun>(*before);
            if (now->step != 0) out->step = now->step;
            return views::RunPtr(out);
        };
        clean = kept(desk_.a(), clean);
        if (desk_.b_is_edited()) changed = kept(desk_.b(), changed);
        const bool is_long = clean->is_long();
        desk_.set_runs(std::move(clean), std::move(changed));
        made_.reset();
        if (is_long && !record)
            made_ = Made{model, std::make_shared<const Answer>(std::move(answer)), prompt, edits};
        desk_.edits.set_problem(problem);
        if (!record) {
            emit refused({});
            emit arrived(static_cast<double>(since_keystroke_.nsecsElapsed()) / 1e6);
            rest_.start();
        }
    }
    if (record && last_step != 0) emit recorded(last_step);
}

void Runner::commit() {
    rest_.stop();
    if (!row_ || !bench_.model()) return;
    const bool same_run = row_->ids == recorded_ids_ && bench_.model()->model.weights_hash == recorded_model_;
    if (same_run && desk_.edits.on_prompt() == recorded_edits_) return;
    if (!record_made()) start(true);
}

// A long run is recorded as it was made, without its captures. False if there is none for what is shown.
bool Runner::record_made() {
    if (!made_ || desk_.stale() || made_->model != bench_.model() || made_->prompt != text_ ||
        made_->edits != desk_.edits.on_prompt())
        return false;
    const bool clean_is_recorded =
        recorded_ids_ == row_->ids && recorded_model_ == made_->model->model.weights_hash;
    bench_.post(
        this, "record", "record the run",
        [made = *made_, clean_is_recorded](engine::Engine& engine, const CancelToken&,
                                           const Progress&) -> Result<Steps> {
            Steps steps;
            if (!clean_is_recorded) {
                VITRINE_ASSIGN(steps.clean, engine.record_made(*made.model, made.answer->clean));
            }
            if (made.answer->edited) {
                VITRINE_ASSIGN(steps.edited, engine.record_made(*made.model, *made.answer->edited));
            }
            return steps;
        },
        [this, made = *made_](const Result<Steps>& steps) {
            if (!steps) {
                emit refused(sentence_of(steps.error()));
                return;
            }
            recorded_ids_ = made.answer->clean.spec.rows.front().ids;
            recorded_model_ = made.model->model.weights_hash;
            recorded_edits_ = made.edits;
            const auto with_step = [](const views::RunPtr& run, std::int64_t step) {
                auto out = std::make_shared<views::ShownRun>(*run);
                out->step = step;
                return out;
            };
            if (desk_.a() && desk_.a()->prompt == made.prompt && !desk_.stale() && steps->clean != 0)
                desk_.set_runs(with_step(desk_.a(), steps->clean),
                               desk_.b_is_edited() ? with_step(desk_.b(), steps->edited) : nullptr);
            if (const std::int64_t last = std::max(steps->clean, steps->edited); last != 0)
                emit recorded(last);
        });
    return true;
}

void Runner::set_form(const TextForm& form) {
    if (form == form_) return;
    form_ = form;
    emit form_changed();
}

void Runner::change_form(const TextForm& form) {
    adopted_step_ = 0; // read otherwise, it is another run
    set_form(form);
    set_text(text_);
}

bool Runner::has_bos() const {
    return bench_.model() && bench_.model()->tokenizer && bench_.model()->tokenizer->bos();
}

bool Runner::starts_with_bos() const {
    return has_bos() && row_ && !row_->ids.empty() && row_->ids.front() == bench_.model()->tokenizer->bos();
}

} // namespace vitrine::window
