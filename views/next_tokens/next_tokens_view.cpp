#include "views/next_tokens/next_tokens_view.h"

#include <QMenu>
#include <cmath>

#include "views/attention/attention_pictures.h"

namespace vitrine::views {

std::shared_ptr<figure::NextTokens> next_tokens_at(const ShownRun& run, int position, const ShownRun* other) {
    auto out = std::make_shared<figure::NextTokens>();
    const auto at = static_cast<std::size_t>(position);
    if (at >= run.next.size()) return out;
    const backend::LogitRow& row = run.next[at];
    out->after = run.tokens[at].shown;
    out->position = position;
    out->entropy = row.entropy;
    out->compared = other != nullptr;
    for (const backend::TopToken& top : row.top) {
        figure::NextTokens::Row line;
        line.token = run.token_of(top.id);
        line.logit = top.logit;
        line.prob = std::exp(static_cast<double>(top.logit) - row.logsumexp);
        line.other = NAN; // below the other run's list
        if (other) {
            const backend::LogitRow& theirs = other->next[std::min(at, other->next.size() - 1)];
            for (const backend::TopToken& same : theirs.top)
                if (same.id == top.id)
                    line.other = std::exp(static_cast<double>(same.logit) - theirs.logsumexp);
        }
        out->rows.push_back(std::move(line));
    }
    return out;
}

std::vector<engine::ResultValue> next_token_results(const figure::NextTokens& table) {
    engine::ResultValue rows{"next_tokens", "table", {}, {}, Json::array(), {}};
    for (const figure::NextTokens::Row& row : table.rows) {
        Json line{{"id", row.token.id},
                  {"token", row.token.shown.toStdString()},
                  {"prob", row.prob},
                  {"logit", row.logit}};
        if (table.compared) line["prob_b"] = std::isnan(row.other) ? Json() : Json(row.other);
        rows.json.push_back(std::move(line));
    }
    engine::ResultValue position{"position", "number", {}, {double(table.position)}, {}, {}, true};
    engine::ResultValue entropy{"entropy", "number", {}, {table.entropy}, {}, {}};
    return {rows, position, entropy};
}

NextTokensView::NextTokensView(Desk& desk, QWidget* parent) : FigureCanvas(desk, parent), desk_(desk) {
    setMinimumHeight(150);
    setAccessibleName(tr("Next tokens"));
    connect(&desk_, &Desk::run_changed, this, &NextTokensView::refresh);
    connect(&desk_.selection, &Selection::changed, this, &NextTokensView::refresh);
    const auto token_at = [this](const QPointF& at) -> const figure::Token* {
        const int row = table_ ? table_->row_at(at, frame()) : -1;
        return row < 0 ? nullptr : &table_->rows[static_cast<std::size_t>(row)].token;
    };
    const auto token_text = [token_at](const QPointF& at) {
        const figure::Token* token = token_at(at);
        return token == nullptr ? QString() : QString::fromStdString(token->bytes);
    };
    connect(this, &FigureCanvas::clicked, this, [this, token_at](const QPointF& at) {
        if (const figure::Token* token = token_at(at)) emit picked(token->id);
    });
    connect(this, &FigureCanvas::double_clicked, this, [this, token_text](const QPointF& at) {
        if (const QString text = token_text(at); !text.isEmpty()) emit append_wanted(text);
    });
    connect(this, &FigureCanvas::menu_opens, this, [this, token_at](QMenu& menu, const QPointF& at) {
        const figure::Token* token = token_at(at);
        if (token == nullptr) return;
        const QString text = QString::fromStdString(token->bytes);
        if (!text.isEmpty())
            menu.addAction(tr("Go on with this token"), [this, text] { emit append_wanted(text); });
        menu.addAction(tr("Use as answer"), [this, id = token->id] { emit answer_wanted(id); });
        menu.addAction(tr("Use as distractor"), [this, id = token->id] { emit distractor_wanted(id); });
        menu.addSeparator();
    });
    refresh();
}

void NextTokensView::refresh() {
    const RunPtr& run = desk_.shown();
    const bool compare = desk_.side() == Side::difference && desk_.b() && !desk_.b()->next.empty();
    const int position = desk_.selection.place().query;
    table_ = run ? next_tokens_at(*run, position, compare ? desk_.b().get() : nullptr)
                 : std::make_shared<figure::NextTokens>();
    FigureSource source;
    source.name = QStringLiteral("next-tokens-%1").arg(position);
    source.topic = QStringLiteral("next-tokens");
    if (run) {
        source.results = [table = table_] { return next_token_results(*table); };
        source.command = capture_command(*run, {});
        source.provenance = run->provenance;
    }
    show_picture(table_, source);
}

} // namespace vitrine::views
