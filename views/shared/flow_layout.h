#pragma once
#include <QLayout>
#include <QList>

namespace vitrine::views {

/// Items in lines, as words in a paragraph: what does not fit goes into the next line.
class FlowLayout : public QLayout {
public:
    explicit FlowLayout(int horizontal = 12, int vertical = 5);
    ~FlowLayout() override;

    void addItem(QLayoutItem* item) override { items_.push_back(item); }
    int count() const override { return static_cast<int>(items_.size()); }
    QLayoutItem* itemAt(int index) const override { return items_.value(index); }
    QLayoutItem* takeAt(int index) override;
    Qt::Orientations expandingDirections() const override { return {}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override { return lay_out(QRect(0, 0, width, 0), false); }
    QSize sizeHint() const override { return minimumSize(); }
    QSize minimumSize() const override;
    void setGeometry(const QRect& rect) override;

private:
    int lay_out(const QRect& rect, bool move) const; ///< the height it takes

    int horizontal_, vertical_;
    QList<QLayoutItem*> items_;
};

} // namespace vitrine::views
