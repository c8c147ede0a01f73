#include "app/window/runner.h"

#include <algorithm>

#include "app/window/conversation_text.h"
#include "core/base/version.h"
#include "core/engine/edit_sources.h"
#include "core/engine/head_captures.h"
#include "core/model/hooks.h"

namespace vitrine::window {

namespace {

constexpr int rest_ms = 1500; ///< so long without a keystroke, and the text is recorded
constexpr int top_tokens = 12;

QString sentence_of(const Error& error) { return QString::fromStdString(error.message); }

/// Steps of a run and of the same with interventions; 0: not recorded.
struct Steps {
    std::int64_t clean = 0, edited = 0;
};

/// Takes the queries and keys of a long run; nullptr if it captured patterns.
std::shared_ptr<attention::HeadStore> store_of(const model::ModelSpec& model, engine::RunRecord& record) {
    run::RowResult& row = record.result.rows.front();
    if (!row.find(attention::score_hooks(model, 0).q)) return nullptr;
    const std::vector<bool> changed = engine::layers_with_changed_attention(model, record.spec.edits);
    std::vector<std::optional<attention::LayerScores>> layers;
    for (int layer = 0; layer < model.layers; ++layer) {
        layers.emplace_back();
        if (changed[static_cast<std::size_t>(layer)]) continue;
        auto scores = attention::take_layer_scores(model, layer, row);
        if (scores) layers.back() = std::move(*scores);
    }
    for (run::RowResult& any : record.result.rows)
        any.captures.clear();
    return std::make_shared<attention::HeadStore>(std::move(layers), model.heads);
}

} // namespace

Runner::Runner(Bench& bench, views::Desk& desk, QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk) {
    rest_.setSingleShot(true);
    rest_.setInterval(rest_ms);
    connect(&rest_, &QTimer::timeout, this, &Runner::commit);
    connect(&bench_, &Bench::model_changed, this, &Runner::read_chat);
    desk_.edits.check = [this](const QString& text) { return check_edit(text); };
    connect(&desk_.edits, &views::EditList::changed, this, &Runner::edits_changed);
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

run::RunSpec Runner::spec_of(const model::ModelSpec& model, const run::RunRow& row) {
    run::RunSpec spec;
    spec.rows = {row};
    spec.captures = {"blocks.*.attn.hook_pattern"};
    if (attention::patterns_are_too_large(model, static_cast<std::int64_t>(row.ids.size()))) {
        spec.captures.clear();
        for (int layer = 0; layer < model.layers; ++layer) {
            const attention::ScoreHooks hooks = attention::score_hooks(model, layer);
            spec.captures.insert(spec.captures.end(), {hooks.q, hooks.k});
        }
    }
    spec.choice = run::PositionChoice::all;
    spec.top = top_tokens;
    return spec;
}

views::RunPtr Runner::shown(const std::shared_ptr<engine::OpenModel>& model, engine::RunRecord& record,
                            const QString& prompt) {
    auto out = std::make_shared<views::ShownRun>();
    out->step = record.step;
    out->prompt = prompt;
    for (const std::int32_t id : record.spec.rows.front().ids)
        out->tokens.push_back(shown(*model, id));
    out->layers = model->model.spec.layers;
    out->heads = model->model.spec.heads;
    run::RowResult& row = record.result.rows.front();
    out->store = store_of(model->model.spec, record);
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
    if (form_.chat) return encode_chat(text, out);
    VITRINE_ASSIGN(out.spans, model->tokenizer->encode(text.toStdString(), specials()));
    run::RunRow row;
    for (const tokenizer::Token& token : out.spans) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
        out.tokens.push_back(shown(*model, token.id));
    }
    return row;
}

// Tokens lie in what the template wrote; those of the typed words are told where they were typed.
Result<run::RunRow> Runner::encode_chat(const QString& text, Encoded& out) const {
    const auto& model = bench_.model();
    if (!chat_)
        return fail(Code::unsupported, no_chat_.isEmpty() ? "The model's chat template is still being read."
                                                          : no_chat_.toStdString());
    VITRINE_ASSIGN(const TypedConversation typed, read_conversation(text.toStdString()));
    run::RunRow row;
    if (typed.conversation.messages.empty()) return row;
    VITRINE_ASSIGN(const auto written, engine::write_conversation(*chat_, typed.conversation));
    VITRINE_ASSIGN(out.spans, model->tokenizer->encode(written.text, tokenizer::Specials::none));
    for (const chat::RoleSpan& role : written.roles)
        out.roles.push_back({QString::fromStdString(role.role), -1, -1});
    std::vector<std::size_t> place; // of each message's words in what was written
    std::size_t from = 0;
    for (const auto& words : typed.words) {
        place.push_back(words.text.empty() ? std::string::npos : written.text.find(words.text, from));
        if (place.back() != std::string::npos) from = place.back() + words.text.size();
    }
    for (tokenizer::Token& token : out.spans) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
        out.tokens.push_back(shown(*model, token.id));
        const int at = static_cast<int>(row.ids.size()) - 1;
        for (std::size_t i = 0; i < written.roles.size(); ++i)
            if (written.roles[i].begin <= token.start && token.start < written.roles[i].end) {
                if (out.roles[i].first < 0) out.roles[i].first = at;
                out.roles[i].last = at;
            }
        std::size_t start = 0, end = 0;
        for (std::size_t i = 0; i < place.size(); ++i) {
            if (place[i] == std::string::npos) continue;
            const std::size_t first = std::max<std::size_t>(token.start, place[i]);
            const std::size_t last = std::min<std::size_t>(token.end, place[i] + typed.words[i].text.size());
            if (first >= last) continue;
            start = first - place[i] + typed.words[i].begin;
            end = last - place[i] + typed.words[i].begin;
        }
        token.start = static_cast<std::uint32_t>(start);
        token.end = static_cast<std::uint32_t>(end);
    }
    std::erase_if(out.roles, [](const views::TokenRole& role) { return role.first < 0; });
    return row;
}

// The files are read again on the device's thread: a large vocabulary takes its time.
void Runner::read_chat() {
    chat_.reset();
    no_chat_.clear();
    emit form_changed();
    set_text(text_);
    bench_.post(
        this, "chat", "read the chat template",
        [name = bench_.model()->request.name](engine::Engine&, const CancelToken&, const Progress&) {
            return engine::read_model_chat(name);
        },
        [this, model = bench_.model()](Result<engine::ModelChat> read) {
            if (model != bench_.model()) return;
            if (read)
                chat_ = std::move(*read);
            else
                no_chat_ = sentence_of(read.error());
            emit form_changed();
            if (form_.chat) set_text(text_);
        });
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
    desk_.edits.set_all(std::move(all));
    restoring_ = false;
    set_text(text);
}

QString Runner::check_edit(const QString& text) const {
    const auto edit = run::parse_edit(text.toStdString());
    if (!edit) return sentence_of(edit.error());
    if (!bench_.model()) return {};
    const auto hooks = model::match_hooks(bench_.model()->model.spec, edit->hook);
    return hooks ? QString() : sentence_of(hooks.error());
}

void Runner::edits_changed() {
    desk_.edits.set_problem({});
    if (restoring_ || !row_ || !bench_.model()) return;
    since_keystroke_.start();
    desk_.set_stale(true);
    start(false);
}

Result<std::vector<run::EditSpec>> Runner::edits_of(const engine::OpenModel& model, const QStringList& texts,
                                                    tokenizer::Specials specials) {
    std::vector<run::EditSpec> out;
    for (const QString& text : texts) {
        VITRINE_ASSIGN(run::EditSpec edit, run::parse_edit(text.toStdString()));
        VITRINE_TRY(model::match_hooks(model.model.spec, edit.hook));
        out.push_back(std::move(edit));
    }
    VITRINE_TRY(engine::read_edit_sources(model, specials, out));
    return out;
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
    const run::RunSpec spec = spec_of(model->model.spec, *row_);
    // A long run is recorded as it was made, once typing rests.
    if (attention::patterns_are_too_large(model->model.spec, static_cast<std::int64_t>(row_->ids.size())))
        record = false;
    const QString prompt = text_;
    const QStringList edits = desk_.edits.active();
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
                run::RunSpec changed = spec;
                if (!beside) return tl::unexpected(beside.error());
                if (*beside) changed.rows.push_back(**beside);
                VITRINE_ASSIGN(changed.edits, edits_of(*model, edits, specials));
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
    if (prompt == text_ && model == bench_.model() && edits == desk_.edits.active()) {
        views::RunPtr clean = shown(model, answer.clean, prompt);
        views::RunPtr changed;
        if (answer.edited) {
            auto edited = std::make_shared<views::ShownRun>(*shown(model, *answer.edited, prompt));
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
    if (same_run && desk_.edits.active() == recorded_edits_) return;
    if (!record_made()) start(true);
}

// A long run is recorded as it was made, without its captures. False if there is none for what is shown.
bool Runner::record_made() {
    if (!made_ || desk_.stale() || made_->model != bench_.model() || made_->prompt != text_ ||
        made_->edits != desk_.edits.active())
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
    const QStringList edits =
        desk_.side() == views::Side::b && desk_.b_is_edited() ? desk_.edits.active() : QStringList();
    const auto beside = row_beside(edits);
    if (!beside) {
        emit refused(sentence_of(beside.error()));
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
            VITRINE_ASSIGN(changed.prompt.edits, edits_of(*model, edits, specials));
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
                if (answer.error().code != Code::cancelled) emit refused(sentence_of(answer.error()));
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
    const auto row = ids.empty() ? encode(text, now) : Result<run::RunRow>(std::move(known));
    if (!row) {
        emit refused(sentence_of(row.error()));
        return;
    }
    const run::RunSpec spec = spec_of(model->model.spec, *row);
    bench_.post(
        this, "pin", "run B",
        [model, spec, edits, specials = specials()](engine::Engine& engine, const CancelToken& cancel,
                                                    const Progress& progress) -> Result<engine::RunRecord> {
            run::RunSpec changed = spec;
            VITRINE_ASSIGN(changed.edits, edits_of(*model, edits, specials));
            return engine.run(*model, changed, cancel, progress, false);
        },
        [this, model, text, edits, step](Result<engine::RunRecord> answer) {
            if (!answer) {
                if (answer.error().code != Code::cancelled) emit refused(sentence_of(answer.error()));
                return;
            }
            answer->step = step;
            auto run = std::make_shared<views::ShownRun>(*shown(model, *answer, text));
            run->edits = edits;
            desk_.set_pinned(std::move(run));
        });
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
