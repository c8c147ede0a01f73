// What is run beside the prompt: its continuation, and the run to compare with.
#include <algorithm>

#include "app/window/conversation_text.h"
#include "app/window/edit_texts.h"
#include "app/window/runner.h"
#include "app/window/shown_record.h"

namespace vitrine::window {

void Runner::generate(int tokens) {
    if (!row_ || !bench_.model()) return;
    const auto model = bench_.model();
    run::GenerateSpec spec;
    spec.prompt.rows = {*row_};
    if (tokens == 0) tokens = sampling_.tokens;
    spec.max_new = tokens;
    spec.temperature = sampling_.temperature;
    spec.top_k = sampling_.top_k;
    spec.top_p = sampling_.top_p;
    spec.seed = sampling_.seed;
    if (const int context = model->model.spec.context; context > 0)
        spec.max_new = std::min(tokens, context - static_cast<int>(row_->ids.size()));
    if (spec.max_new < 1) {
        emit refused(tr("The prompt fills the model's context: shorten it before generating."));
        return;
    }
    spec.stop_ids = model->stop_ids;
    const bool chat = form_.chat;
    if (chat) {
        const auto typed = read_conversation(text_.toStdString());
        if (typed && ends_with_assistant(typed->conversation)) {
            emit refused(tr("The assistant has the last word: add a line that begins with “user:”."));
            return;
        }
    }
    const QString prompt = text_;
    // Where nothing but `pos=new` is on there is no B to look at: it acts all the same.
    const bool with_edits =
        desk_.edits.on_prompt().isEmpty() || (desk_.side() == views::Side::b && desk_.b_is_edited());
    const QStringList edits = with_edits ? desk_.edits.active() : QStringList();
    const auto beside = row_beside(edits);
    if (!beside) {
        emit refused(QString::fromStdString(beside.error().message));
        return;
    }
    if (*beside) spec.prompt.rows.push_back(**beside);
    const QPointer<Runner> self(this);
    Bench* const there = &bench_; // outlives its jobs
    bench_.post(
        this, "generate", "generate",
        [=, specials = specials()](engine::Engine& engine, const CancelToken& cancel,
                                   const Progress& progress) -> Result<engine::GenerateRecord> {
            run::GenerateSpec changed = spec;
            VITRINE_ASSIGN(auto changes, changes_of(*model, edits, specials));
            changed.prompt.edits = std::move(changes.edits);
            changed.prompt.attention = std::move(changes.attention);
            auto ids = std::make_shared<std::vector<std::int32_t>>();
            return engine.generate(
                *model, changed,
                [&](const run::GenerateStep& step) {
                    if (step.row != 0) return;
                    ids->push_back(step.id);
                    progress(static_cast<double>(ids->size()) / spec.max_new, "generating");
                    const QString text = QString::fromStdString(model->tokenizer->decode(*ids, true));
                    QMetaObject::invokeMethod(
                        there,
                        [self, text, step] {
                            if (!self) return;
                            emit self->generating(text);
                            emit self->drew(step);
                        },
                        Qt::QueuedConnection);
                },
                cancel, progress);
        },
        [this, model, prompt, chat](Result<engine::GenerateRecord> answer) {
            if (!answer) {
                if (answer.error().code != Code::cancelled)
                    emit refused(QString::fromStdString(answer.error().message));
                return;
            }
            emit generation_done(std::make_shared<const engine::GenerateRecord>(*answer));
            if (prompt != text_) return;
            const QString text =
                QString::fromStdString(model->tokenizer->decode(answer->result.rows.front().new_ids, true));
            emit generated(chat ? QStringLiteral("\nassistant: ") + text.trimmed() : text);
            if (answer->step != 0) emit recorded(answer->step);
        });
}

void Runner::pin_as_b(const QString& text, const std::vector<std::int32_t>& ids, const QStringList& edits,
                      std::int64_t step) {
    if (!bench_.model()) return;
    const auto model = bench_.model();
    Encoded now;
    run::RunRow known{ids, {}};
    for (const std::int32_t id : ids)
        known.special.push_back(model->tokenizer && model->tokenizer->is_special(id));
    const auto row = ids.empty() ? reader_.encode(text, form_, now) : Result<run::RunRow>(std::move(known));
    if (!row) {
        emit refused(QString::fromStdString(row.error().message));
        return;
    }
    bench_.post(
        this, "pin", "run B",
        [model, row = *row, edits,
         specials = specials()](engine::Engine& engine, const CancelToken& cancel,
                                const Progress& progress) -> Result<engine::RunRecord> {
            VITRINE_ASSIGN(const auto changes, changes_of(*model, edits, specials));
            return engine.run(*model, spec_of(model->model.spec, row, changes), cancel, progress, false);
        },
        [this, model, text, edits, step](Result<engine::RunRecord> answer) {
            if (!answer) {
                if (answer.error().code != Code::cancelled)
                    emit refused(QString::fromStdString(answer.error().message));
                return;
            }
            answer->step = step;
            auto run = std::make_shared<views::ShownRun>(*run_of(model, *answer, text));
            run->edits = edits;
            desk_.set_pinned(std::move(run));
        });
}

} // namespace vitrine::window
