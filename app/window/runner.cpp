#include "app/window/runner.h"

#include <algorithm>

#include "core/base/version.h"

namespace vitrine::window {

namespace {

constexpr int rest_ms = 1500; ///< so long without a keystroke, and the text is recorded
constexpr int top_tokens = 12;

QString sentence_of(const Error& error) { return QString::fromStdString(error.message); }

} // namespace

Runner::Runner(Bench& bench, views::Desk& desk, QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk) {
    rest_.setSingleShot(true);
    rest_.setInterval(rest_ms);
    connect(&rest_, &QTimer::timeout, this, &Runner::commit);
    connect(&bench_, &Bench::model_changed, this, [this] { set_text(text_); });
    connect(&bench_, &Bench::cancelled, this, [this] { desk_.set_stale(false); });
}

figure::Token Runner::shown(const engine::OpenModel& model, std::int32_t id) {
    figure::Token out;
    out.id = id;
    if (!model.tokenizer) {
        out.shown = QStringLiteral("#%1").arg(id);
        return out;
    }
    out.bytes = model.tokenizer->token_bytes(id);
    out.special = model.tokenizer->is_special(id);
    out.shown = figure::shown_token(out.bytes);
    return out;
}

run::RunSpec Runner::spec_of(const run::RunRow& row) {
    run::RunSpec spec;
    spec.rows = {row};
    spec.captures = {"blocks.*.attn.hook_pattern"};
    spec.choice = run::PositionChoice::all;
    spec.top = top_tokens;
    return spec;
}

views::RunPtr Runner::shown(const std::shared_ptr<engine::OpenModel>& model, const engine::RunRecord& record,
                            const QString& prompt) {
    auto out = std::make_shared<views::ShownRun>();
    out->step = record.step;
    out->prompt = prompt;
    for (const std::int32_t id : record.spec.rows.front().ids)
        out->tokens.push_back(shown(*model, id));
    out->layers = model->model.spec.layers;
    out->heads = model->model.spec.heads;
    const run::RowResult& row = record.result.rows.front();
    for (int layer = 0; layer < out->layers; ++layer) {
        const run::Captured* pattern = row.find("blocks." + std::to_string(layer) + ".attn.hook_pattern");
        if (!pattern) {
            out->patterns.clear();
            break;
        }
        // The record lives as long as any view that shows it.
        out->patterns.push_back(std::make_shared<const Tensor>(pattern->tensor));
    }
    for (const run::PositionResult& position : row.positions)
        out->next.push_back(position.stats);
    out->loss = row.loss;
    out->token_of = [model](std::int32_t id) { return shown(*model, id); };
    out->model = QString::fromStdString(model->request.name);
    out->device = QString::fromStdString(model->loaded->device().id);
    out->precision = QString::fromStdString(backend::name_of(model->loaded->precision()));
    out->engine_ms = record.result.run_ms + record.result.read_ms;
    out->provenance = Json{{"model", model->request.name},
                           {"weights_hash", model->model.weights_hash},
                           {"device", model->loaded->device().name},
                           {"driver", model->loaded->device().driver},
                           {"precision", backend::name_of(model->loaded->precision())},
                           {"version", version()},
                           {"prompt", prompt.toStdString()},
                           {"ids", record.spec.rows.front().ids},
                           {"spec", run::to_json(record.spec)}};
    return out;
}

Result<run::RunRow> Runner::encode(const QString& text, Encoded& out) const {
    const auto& model = bench_.model();
    if (!model->tokenizer)
        return fail(Code::unsupported,
                    "This model has no tokenizer: open one with a tokenizer.json beside its weights.");
    VITRINE_ASSIGN(out.spans, model->tokenizer->encode(text.toStdString(), specials_));
    run::RunRow row;
    for (const tokenizer::Token& token : out.spans) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
        out.tokens.push_back(shown(*model, token.id));
    }
    return row;
}

void Runner::show_recorded(const QString& text, std::int64_t step) {
    adopted_step_ = step;
    adopted_text_ = text;
    set_text(text);
}

void Runner::set_text(const QString& text) {
    text_ = text;
    since_keystroke_.start();
    rest_.stop();
    row_.reset();
    desk_.set_stale(false);
    if (!bench_.model()) return;
    Encoded now;
    auto row = encode(text, now);
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
    const run::RunSpec spec = spec_of(*row_);
    const QString prompt = text_;
    bench_.post(
        this, record ? "record" : "prompt", record ? "record the run" : "run the prompt",
        [model, spec, record](engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return engine.run(*model, spec, cancel, progress, record);
        },
        [this, model, prompt, record](Result<engine::RunRecord> answer) {
            if (!answer) {
                desk_.set_stale(false);
                if (answer.error().code != Code::cancelled) emit refused(sentence_of(answer.error()));
                return;
            }
            const bool adopted = !record && adopted_step_ != 0 && prompt == adopted_text_;
            if (adopted) answer->step = adopted_step_;
            if (record || adopted) {
                recorded_ids_ = answer->spec.rows.front().ids;
                recorded_model_ = model->model.weights_hash;
            }
            // A recorded run is the one already shown, now with its step; something newer on the way stays
            // newer.
            if (prompt == text_ && model == bench_.model()) {
                views::RunPtr run = shown(model, *answer, prompt);
                if (record && !desk_.stale() && desk_.a() && desk_.a()->prompt == prompt) {
                    auto kept =
                        std::make_shared<views::ShownRun>(*desk_.a()); // with the time that was waited for
                    kept->step = answer->step;
                    run = std::move(kept);
                }
                desk_.set_a(std::move(run));
                if (!record) {
                    emit refused({});
                    emit arrived(static_cast<double>(since_keystroke_.nsecsElapsed()) / 1e6);
                    rest_.start();
                }
            }
            if (record && answer->step != 0) emit recorded(answer->step);
        });
}

void Runner::commit() {
    rest_.stop();
    if (!row_ || !bench_.model()) return;
    if (row_->ids == recorded_ids_ && bench_.model()->model.weights_hash == recorded_model_) return;
    start(true);
}

void Runner::generate(int tokens) {
    if (!row_ || !bench_.model()) return;
    const auto model = bench_.model();
    run::GenerateSpec spec;
    spec.prompt.rows = {*row_};
    spec.max_new = tokens;
    if (const int context = model->model.spec.context; context > 0)
        spec.max_new = std::min(tokens, context - static_cast<int>(row_->ids.size()));
    if (spec.max_new < 1) {
        emit refused(tr("The prompt fills the model's context: shorten it before generating."));
        return;
    }
    spec.stop_ids = model->stop_ids;
    const QString prompt = text_;
    const QPointer<Runner> self(this);
    Bench* const there = &bench_; // outlives its jobs
    bench_.post(
        this, "generate", "generate",
        [model, spec, self, there](engine::Engine& engine, const CancelToken& cancel,
                                   const Progress& progress) {
            auto ids = std::make_shared<std::vector<std::int32_t>>();
            return engine.generate(
                *model, spec,
                [&](const run::GenerateStep& step) {
                    ids->push_back(step.id);
                    progress(static_cast<double>(ids->size()) / spec.max_new, "generating");
                    const QString text = QString::fromStdString(model->tokenizer->decode(*ids, true));
                    QMetaObject::invokeMethod(
                        there,
                        [self, text] {
                            if (self) emit self->generating(text);
                        },
                        Qt::QueuedConnection);
                },
                cancel, progress);
        },
        [this, model, prompt](Result<engine::GenerateRecord> answer) {
            if (!answer) {
                if (answer.error().code != Code::cancelled) emit refused(sentence_of(answer.error()));
                return;
            }
            if (prompt != text_) return;
            emit generated(
                QString::fromStdString(model->tokenizer->decode(answer->result.rows.front().new_ids, true)));
            if (answer->step != 0) emit recorded(answer->step);
        });
}

void Runner::pin_as_b(const QString& text, std::int64_t step) {
    if (!bench_.model()) return;
    const auto model = bench_.model();
    Encoded now;
    const auto row = encode(text, now);
    if (!row) {
        emit refused(sentence_of(row.error()));
        return;
    }
    const run::RunSpec spec = spec_of(*row);
    bench_.post(
        this, "pin", "run B",
        [model, spec](engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return engine.run(*model, spec, cancel, progress, false);
        },
        [this, model, text, step](Result<engine::RunRecord> answer) {
            if (!answer) {
                emit refused(sentence_of(answer.error()));
                return;
            }
            answer->step = step;
            desk_.set_b(shown(model, *answer, text));
        });
}

void Runner::set_specials(tokenizer::Specials specials) {
    specials_ = specials;
    set_text(text_);
}

bool Runner::has_bos() const {
    return bench_.model() && bench_.model()->tokenizer && bench_.model()->tokenizer->bos();
}

bool Runner::starts_with_bos() const {
    return has_bos() && row_ && !row_->ids.empty() && row_->ids.front() == bench_.model()->tokenizer->bos();
}

} // namespace vitrine::window
