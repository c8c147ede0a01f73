#pragma once
// The text as the model sees it: one chip a token, the ruler of every page.
#include <QHash>
#include <QWidget>
#include <vector>

#include "views/figure/colour.h"
#include "views/figure/picture.h"
#include "views/shared/desk.h"
#include "views/shared/token_role.h"

namespace vitrine::views {

/// Query ▲ below, key ▼ above, chips in the colour of a score. Click selects the query, Shift-click the key;
/// the wheel scrolls; ← → move the query, with Shift the key; id and bytes on hover; the right button as
/// in every view.
class TokenStrip : public QWidget {
    Q_OBJECT

public:
    explicit TokenStrip(Desk& desk, QWidget* parent = nullptr);

    /// The tokens of the text as it stands; those of a run that is on its way are shown before its numbers.
    void set_tokens(std::vector<figure::Token> tokens);
    /// Messages of a conversation, marked beneath their tokens; none takes the marks away.
    void set_roles(std::vector<TokenRole> roles);
    /// One score a token (NaN: none); empty takes the colours away. `sinks`: tokens in the sink colour.
    void set_scores(std::vector<double> scores, const figure::ColourScale& scale,
                    std::vector<bool> sinks = {});

    /// Arcs from the selected query to where its scores lie, above the chips.
    void set_arcs(bool on);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {200, sizeHint().height()}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool event(QEvent* event) override;

private:
    void lay_out();
    void paint_roles(QPainter& painter) const;
    void paint_arcs(QPainter& painter) const;
    double top() const; ///< of the chips
    void reveal(int token);
    int token_at(const QPointF& at) const;
    QString describe(int token) const;

    Desk& desk_;
    std::vector<figure::Token> tokens_;
    std::vector<TokenRole> roles_;
    std::vector<double> scores_;
    std::vector<bool> sinks_; ///< tokens in the sink colour
    figure::ColourScale scale_;
    std::vector<double> lefts_;     ///< left edges of the chips, and the right edge of the last
    QHash<QString, double> widths_; ///< of texts that were measured
    double offset_ = 0;             ///< how far it is scrolled
    int hovered_ = -1;
    bool arcs_ = false;
};

} // namespace vitrine::views
