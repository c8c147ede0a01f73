#include "app/window/doors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "views/attention/find_heads.h"

namespace vitrine::window {

namespace {

// 64 tokens and more: on short texts an even spread passes for a sink.
const char* const sink_prompt =
    "It was a dark evening, and the wind came in from the sea. The old man at the door said nothing, and she "
    "went on reading by the fire. After a while he sat down beside her, took off his hat, and asked what the "
    "book was about. She looked up, smiled, and told him that it was about a ship.";
const char* const induction_prompt = "The captain looked at the sea. The captain looked at the";
const char* const answer_prompt = "When Mary and John went to the store, John gave a book to";

QString named(const views::Place& place) {
    return QStringLiteral("<b>L%1 H%2</b>").arg(place.layer).arg(place.head);
}

QString quoted(const figure::Token& token) { return QStringLiteral("“%1”").arg(token.shown.toHtmlEscaped()); }

const figure::Token& token_at(const views::ShownRun& run, int at) {
    return run.tokens[static_cast<std::size_t>(at)];
}

} // namespace

std::vector<views::Door> doors() {
    return {{QStringLiteral("sink"), QObject::tr("A sink and what it does"),
             QObject::tr("Why most heads look at the first token")},
            {QStringLiteral("induction"), QObject::tr("An induction head"),
             QObject::tr("A head that looks for what came next the last time")},
            {QStringLiteral("answer"), QObject::tr("An answer and the head behind it"),
             QObject::tr("Takes out one head after another and sees which one the answer hangs on")}};
}

QString Doors::example_prompt() { return QString::fromUtf8(answer_prompt); }

Doors::Doors(Bench& bench, views::Desk& desk, Runner& runner, PromptPanel& prompt, views::DoorsBar& bar,
             QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk), runner_(runner), prompt_(prompt), bar_(bar) {
    connect(&bar_, &views::DoorsBar::door_wanted, this, &Doors::open);
    connect(&runner_, &Runner::arrived, this, &Doors::tell);
}

void Doors::open(const QString& id) {
    open_ = id;
    const QString text = QString::fromUtf8(id == QLatin1String("sink")        ? sink_prompt
                                           : id == QLatin1String("induction") ? induction_prompt
                                                                              : answer_prompt);
    desk_.edits.clear();
    desk_.set_side(views::Side::a);
    desk_.selection.set_second(std::nullopt);
    emit page_wanted(tr("Attention"));
    runner_.set_form({});
    prompt_.set_text(text);
    runner_.set_text(text);
}

void Doors::tell() {
    if (open_.isEmpty() || !desk_.a() || !desk_.a()->has_patterns()) return;
    const QString id = std::exchange(open_, QString());
    const views::RunPtr run = desk_.a();
    if (id == QLatin1String("sink"))
        tell_sink(*run);
    else if (id == QLatin1String("induction"))
        tell_induction(*run);
    else
        look_for_head(run);
}

void Doors::tell_sink(const views::ShownRun& run) {
    const auto found = views::find_sink_head(run);
    if (!found) {
        bar_.tell(QStringLiteral("sink"), tr("No head of this model has an attention sink on this text."));
        return;
    }
    desk_.selection.set(found->place);
    bar_.tell(
        QStringLiteral("sink"),
        tr("<b>A sink.</b> %1 of %2 heads park attention on one key (rose). %3 is the most extreme: over "
           "all queries %4 gets %5 of it. A head with nothing to do looks there, because its weights must "
           "sum to 1. <b>No sinks</b> shows what is left; <b>Space</b> takes the head out, and the "
           "next tokens hardly move.")
            .arg(views::heads_with_sinks(run))
            .arg(run.layers * run.heads)
            .arg(named(found->place), quoted(token_at(run, found->place.key)),
                 figure::percent(found->weight)));
}

void Doors::tell_induction(const views::ShownRun& run) {
    const auto found = views::find_induction_head(run);
    if (!found) return;
    desk_.selection.set(found->place);
    const figure::Token& followed = token_at(run, found->place.key);
    const backend::LogitRow& next = run.next.back();
    QString likely;
    for (std::size_t rank = 0; rank < next.top.size(); ++rank)
        if (next.top[rank].id == followed.id)
            likely = tr(" The model gives it %1.")
                         .arg(figure::percent(
                             std::exp(static_cast<double>(next.top[rank].logit) - next.logsumexp)));
    bar_.tell(
        QStringLiteral("induction"),
        tr("<b>An induction head.</b> The text repeats itself. At the end, %1 looks with weight %2 at %3: "
           "at what came after %4 the first time. That is how a model copies on.%5 The bright diagonal in "
           "the large picture is the same for the tokens before. <b>Space</b> takes the head out.")
            .arg(named(found->place), figure::number(found->weight), quoted(followed),
                 quoted(token_at(run, run.size() - 1)), likely));
}

// One batch with a row for each head, in which that head is taken out.
void Doors::look_for_head(const views::RunPtr& run) {
    const auto model = bench_.model();
    if (!model || run->next.empty() || run->next.back().top.empty()) return;
    run::RunSpec spec;
    spec.loss = false;
    spec.top = std::min(model->model.spec.vocab, 5000);
    run::RunRow row;
    for (const figure::Token& token : run->tokens) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
    }
    for (int layer = 0; layer < run->layers; ++layer)
        for (int head = 0; head < run->heads; ++head) {
            run::EditSpec edit;
            edit.hook = "blocks." + std::to_string(layer) + ".attn.hook_z";
            edit.row = run::Selector::one(static_cast<int>(spec.rows.size()));
            edit.head = run::Selector::one(head);
            spec.edits.push_back(edit);
            spec.rows.push_back(row);
        }
    bench_.post(
        this, "door", "take out one head after another",
        [model, spec](engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return engine.run(*model, spec, cancel, progress, false);
        },
        [this, run, answer = run->next.back().top.front().id](const Result<engine::RunRecord>& swept) {
            if (!swept || desk_.a() != run) return; // something else is looked at meanwhile
            double least = std::numeric_limits<double>::infinity();
            int at = 0;
            for (std::size_t i = 0; i < swept->result.rows.size(); ++i) {
                const backend::LogitRow& row = swept->result.rows[i].positions.front().stats;
                for (const backend::TopToken& top : row.top)
                    if (top.id == answer && top.logit - row.logsumexp < least) {
                        least = top.logit - row.logsumexp;
                        at = static_cast<int>(i);
                    }
            }
            tell_head(run, at / run->heads, at % run->heads, std::exp(least));
        });
}

void Doors::tell_head(const views::RunPtr& run, int layer, int head, double after) {
    const backend::LogitRow& next = run->next.back();
    const double before = std::exp(static_cast<double>(next.top.front().logit) - next.logsumexp);
    const int query = run->size() - 1;
    const figure::Matrix pattern = run->pattern(layer, head);
    int key = 0;
    for (int at = 1; at <= query; ++at)
        if (pattern.at(query, at) > pattern.at(query, key)) key = at;
    const views::Place place{layer, head, query, key};
    desk_.selection.set(place);
    desk_.edits.set_all({{views::ablation(layer, head), true}});
    const figure::Token& seen = token_at(*run, key);
    const QString looks =
        seen.special ? QString() : tr(" From the end it looks most at %1.").arg(quoted(seen));
    bar_.tell(
        QStringLiteral("answer"),
        tr("<b>An answer and the head behind it.</b> The model goes on with %1 (%2). Of its %3 heads, each "
           "taken out alone, %4 costs the answer most: without it %5 are left.%6 B is the run without it: "
           "press <b>A</b>, <b>B</b> or <b>A − B</b>. <b>Space</b> puts it "
           "back; arrows lead to other heads.")
            .arg(quoted(run->token_of(next.top.front().id)), figure::percent(before))
            .arg(run->layers * run->heads)
            .arg(named(place), figure::percent(after), looks));
}

} // namespace vitrine::window
