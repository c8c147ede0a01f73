#pragma once
#include <QWidget>
#include <vector>

#include "views/figure/picture.h"
#include "views/shared/desk.h"

namespace vitrine::views {

/// Two texts of a pair on one ruler: the clean tokens above, below them the corrupted ones, marked where they
/// differ.
class PairRuler : public QWidget {
    Q_OBJECT

public:
    explicit PairRuler(Desk& desk, QWidget* parent = nullptr);

    void show_pair(QStringList clean, QStringList corrupted);
    /// Places at which the two differ, and those that only one has.
    int differing() const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {200, sizeHint().height()}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    bool event(QEvent* event) override;

private:
    bool differs(int at) const;
    std::vector<double> lefts() const; ///< of the columns, and the right edge of the last

    Desk& desk_;
    QStringList clean_, corrupted_;
    double offset_ = 0;
};

} // namespace vitrine::views
