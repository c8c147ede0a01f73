#pragma once
#include "views/figure/next_tokens.h"
#include "views/shared/figure_canvas.h"

namespace vitrine::views {

/// The most likely next tokens at the selected position.
class NextTokensView : public FigureCanvas {
    Q_OBJECT

public:
    explicit NextTokensView(Desk& desk, QWidget* parent = nullptr);

signals:
    /// The user wants to see the text go on with this token.
    void append_wanted(const QString& text);
    /// A row was clicked, by its token's id.
    void picked(std::int32_t id);
    /// It shall be what the metric of the page Cause measures.
    void answer_wanted(std::int32_t id);
    void distractor_wanted(std::int32_t id);

private:
    void refresh();

    Desk& desk_;
    std::shared_ptr<figure::NextTokens> table_;
};

/// The table of one position of a run, compared with another run if one is given.
std::shared_ptr<figure::NextTokens> next_tokens_at(const ShownRun& run, int position, const ShownRun* other);
/// Its numbers as results.
std::vector<engine::ResultValue> next_token_results(const figure::NextTokens& table);

} // namespace vitrine::views
