"""What customers write in about: a shop for lamps, kettles and loudspeakers, with a subscription.

`{product}` and `{order}` are filled in; everything else is written by hand.
"""

from dataclasses import dataclass

PRODUCTS = (
    "Aria desk lamp",
    "Tern kettle",
    "Nook loudspeaker",
    "Fjord heater",
    "Pilot headphones",
    "Lumen strip",
    "Cove alarm clock",
    "Drift air purifier",
    "Slate e-reader",
    "Ember coffee grinder",
)


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong, and how it ends."""

    category: str
    title: str
    description: str
    reply: str
    note: str
    resolution: str
    tags: tuple[str, ...] = ()


CASES = (
    Case(
        "Delivery",
        "Parcel {order} shows delivered but never arrived",
        "The tracking page says {order} was handed over yesterday at noon. I was home all day and nobody rang. "
        "My neighbours do not have it either. It should contain a {product}.",
        "Sorry about this. We have opened an enquiry with the carrier and will write again within two working days.",
        "Third report this week for the same depot. Asked the carrier for the GPS point of the hand-over.",
        "The carrier confirmed the loss; a new parcel went out by express and arrived.",
        ("carrier", "lost-parcel"),
    ),
    Case(
        "Delivery",
        "Can you change the delivery address of {order}?",
        "We are moving on Friday and {order} has not left your warehouse yet, as far as I can see. "
        "Could it go to the new address instead? I am happy to pay a difference.",
        "It had not been packed yet, so we could still change it. You will get a fresh confirmation shortly.",
        "Warehouse holds the parcel until the new label is printed.",
        "Address changed before dispatch, confirmed by the warehouse.",
        ("address",),
    ),
    Case(
        "Delivery",
        "Half of my order is missing",
        "I ordered two {product}s under {order}. One came, the invoice is for both. Is the second one on its way?",
        "Thank you for the photo of the label. The second box was left at our packing station; it leaves today.",
        "Packing list says 2, scale said 1. Told the shift lead.",
        "The missing piece was sent on and signed for.",
        ("warehouse",),
    ),
    Case(
        "Delivery",
        "Delivered to the wrong pick-up point",
        "I chose the kiosk on my street. Now I am told to collect my {product} eleven kilometres away, by tomorrow. "
        "I have no car. Please have it brought to the right place.",
        "We asked the carrier to extend the collection time and to bring it to your kiosk.",
        "Carrier's system merges kiosks with the same name. Known since spring.",
        "Redirected to the right kiosk; collected by the customer.",
        ("carrier",),
    ),
    Case(
        "Billing",
        "Charged twice for {order}",
        "My statement shows the same amount two times, one minute apart, both with the reference {order}. "
        "Please return one of them soon, the rent goes out on Monday.",
        "We can see both charges. One of them is only reserved and will lapse; we have asked the bank to hurry.",
        "Gateway retried after a time-out. Second capture cancelled at 10:42.",
        "Second charge released by the bank; the customer confirmed it.",
        ("payment", "urgent"),
    ),
    Case(
        "Billing",
        "Invoice without our tax number",
        "Our accountant sends back the invoice for {order}: the tax number is missing, although it is in our account. "
        "We need a corrected one before the end of the quarter.",
        "A corrected invoice with your tax number is attached to your account now.",
        "Tax number was added after the order. The invoice template does not look back.",
        "Corrected invoice issued and accepted by their accountant.",
        ("invoice",),
    ),
    Case(
        "Billing",
        "Voucher was not taken off",
        "I typed in the voucher from your newsletter, the page said it was accepted, but {order} was billed in full.",
        "You are right, and we are sorry. The difference is on its way back to your card.",
        "Voucher is limited to lamps, the page does not say so. Goodwill.",
        "Difference refunded as goodwill; page text corrected.",
        ("voucher",),
    ),
    Case(
        "Billing",
        "Why did the subscription go up?",
        "Until last month I paid 6.90 for the filter subscription, now it is 8.40. I found no letter about it.",
        "The notice went to your old address in March. We can keep the old price for three more months.",
        "Offered three months at the old price, as agreed for everyone who missed the notice.",
        "Old price kept for three months; customer stays.",
        ("subscription",),
    ),
    Case(
        "Account",
        "Cannot sign in after changing my phone",
        "The code goes to a number that I no longer have. Without it I cannot change the number either. "
        "How do I get back in?",
        "We have checked who you are and removed the old number. Please sign in and set a new one.",
        "Verified with two order numbers and the postcode.",
        "Second factor reset after verification.",
        ("sign-in",),
    ),
    Case(
        "Account",
        "Reset mail never comes",
        "I asked for a new password four times today. Nothing in the inbox, nothing in spam. Other mail arrives.",
        "Your provider refused our mails for an hour this morning. We have sent a new link just now.",
        "Provider blocked our sending address; postmaster answered and lifted it.",
        "Mail arrived after the provider lifted the block.",
        ("sign-in", "mail"),
    ),
    Case(
        "Account",
        "Please delete my account and data",
        "I do not need the account any more. Please delete everything that you are not obliged to keep.",
        "We have started the deletion. Invoices stay for as long as the law asks; everything else goes within a month.",
        "Open warranty for a {product} until summer: asked whether that should lapse.",
        "Deleted after the customer confirmed that the warranty may lapse.",
        ("privacy",),
    ),
    Case(
        "Account",
        "Two accounts with one address book",
        "My husband and I each have an account, and since last week his orders show up in mine. Can you separate them?",
        "Both accounts shared one payment profile. We have separated them; please look whether it is right now.",
        "Merged by the checkout because of the same card. Reported to the shop team.",
        "Profiles separated, orders moved back.",
        ("bug",),
    ),
    Case(
        "Product fault",
        "{product} stops after a few minutes",
        "It worked well for three weeks. Now it goes off by itself after five minutes and needs an hour before it "
        "starts again. I tried another socket. Bought with {order}.",
        "That sounds like the thermal switch. Please send it in with the attached label; a replacement leaves today.",
        "Batch 23-04, same as the others. Quality wants the unit back.",
        "Replaced under warranty; the unit went to quality.",
        ("warranty", "batch-23-04"),
    ),
    Case(
        "Product fault",
        "{product} hums loudly at night",
        "In the evening there is a hum that was not there before, and it gets louder when the room is warm. "
        "I recorded it and can send the file.",
        "Thank you for the recording. A new power supply fixes this; it is in the post.",
        "Power supply revision B. Stock of revision C is fine.",
        "New power supply sent; the hum is gone.",
        ("warranty",),
    ),
    Case(
        "Product fault",
        "Smell of burnt plastic from the {product}",
        "When I switched it on this morning there was a smell of burning and a brown spot near the cable. "
        "I unplugged it. Is it dangerous?",
        "Please leave it unplugged. A courier collects it tomorrow, and a replacement is on its way.",
        "Safety case: told quality at once, photos in the attachment.",
        "Collected and replaced; quality found a crushed cable.",
        ("safety", "urgent", "warranty"),
    ),
    Case(
        "Product fault",
        "Firmware update never finishes",
        "The {product} has been stuck at 62 percent since yesterday. Holding the button for ten seconds does nothing.",
        "Please hold the button for thirty seconds while it charges; after that the update starts anew.",
        "Update 2.1.4 hangs when the clock is wrong. Fixed in 2.1.5.",
        "Recovered with the long reset; now on 2.1.5.",
        ("firmware",),
    ),
    Case(
        "Product fault",
        "Display of my {product} has a dark corner",
        "One corner of the display is darker than the rest since I unpacked it. It is not broken, but it is new.",
        "That should not be. Would you rather have a replacement or a tenth of the price back?",
        "Customer sent a clear photo. Either is fine with us.",
        "Customer chose the discount and keeps it.",
        ("warranty",),
    ),
    Case(
        "Returns",
        "Return label does not print",
        "The page with the label for {order} stays white, in two browsers. My fourteen days end on Sunday.",
        "Here is the label as a file, and the date of your message counts, so there is no hurry.",
        "Label service was down from 9 to 11.",
        "Label sent by mail; return received in time.",
        ("return",),
    ),
    Case(
        "Returns",
        "Where is my refund for {order}?",
        "You received the {product} twelve days ago, says the tracking. I still have no money back.",
        "It waited for inspection. The refund was ordered today and takes two to three days.",
        "Inspection queue is at nine days. Told the returns lead.",
        "Refund paid out; customer informed.",
        ("return", "payment"),
    ),
    Case(
        "Returns",
        "Sent back the wrong thing",
        "By mistake I put my old {product} into the box instead of the new one. Can the old one be sent home?",
        "We found it. Please send the new one with the second label, and the old one comes back to you.",
        "Shelf R-14, marked with the ticket number.",
        "Exchanged; both sides have what is theirs.",
        ("return", "warehouse"),
    ),
    Case(
        "Returns",
        "Box was opened when it came to me",
        "The seal on the {product} was cut and there were fingerprints on it. I paid for a new one.",
        "We are sorry, that was a returned piece. You may keep it at a lower price or send it back free of charge.",
        "Grade-B stock went out as new. Same shelf as last month.",
        "Returned and exchanged for a sealed one.",
        ("return", "warehouse"),
    ),
    Case(
        "Question",
        "Does the {product} work on 110 volts?",
        "We are moving abroad next month and would like to take it along. The manual only says 230.",
        "It does not, I am afraid, and a converter would cost more than it is worth.",
        "Third question of this kind this month. Suggested a line on the product page.",
        "Answered; suggestion passed on.",
    ),
    Case(
        "Question",
        "Spare filter for an older {product}",
        "Mine is from the first series. The shop only lists filters for the second. Do they fit?",
        "They do, with the small ring that comes in the box. Here is a picture.",
        "Ring is part 4410, always in the box since May.",
        "Answered with a picture; customer ordered two.",
        ("parts",),
    ),
    Case(
        "Question",
        "How long is the warranty on the {product}?",
        "On the box it says two years, on your page three. Which is right? My order is {order}.",
        "Three years for orders from this year on, so three for yours. We will correct the box.",
        "Old boxes are used up by autumn.",
        "Answered: three years.",
        ("warranty",),
    ),
    Case(
        "Question",
        "Do you deliver to an island?",
        "I live on a small island with a ferry twice a week. Will the {product} reach me, and what would it cost?",
        "It will, with the ordinary post, for the ordinary price. It takes about a week.",
        "Checked the postcode list.",
        "Answered; customer has ordered.",
    ),
    Case(
        "Feature request",
        "Quiet hours for the {product}",
        "It would be lovely if the light could stay off between ten and six without having to pull the plug.",
        "Thank you, that is a good idea. We have passed it to the product team.",
        "Fifth wish for quiet hours. Linked in the product list.",
        "Passed on; planned for the next update.",
        ("idea",),
    ),
    Case(
        "Feature request",
        "App in Portuguese, please",
        "My parents use the {product} and neither reads English. A Portuguese version would spare me many calls.",
        "We are collecting languages at the moment, and yours is counted.",
        "Languages: pt 14, pl 11, tr 9 so far.",
        "Counted; will be announced in the newsletter.",
        ("idea", "app"),
    ),
    Case(
        "Subscription",
        "Pause the filter subscription",
        "We are away for three months. Can the filters wait until we are back, without cancelling everything?",
        "Of course. It is paused and starts again by itself on the first of the month you named.",
        "Paused in the billing system by hand; the page cannot do it.",
        "Paused for three months.",
        ("subscription",),
    ),
    Case(
        "Subscription",
        "Cancelled, but still charged",
        "I cancelled in spring and have the mail that confirms it. Yesterday you charged me again.",
        "That is our mistake. The money goes back today and the subscription is closed for good.",
        "Cancellation was stored on the second profile only.",
        "Refunded; both profiles closed.",
        ("subscription", "payment"),
    ),
    Case(
        "Subscription",
        "Wrong filter size for two months",
        "Since the change of plan I get size M, my {product} needs L. I have four useless ones here by now.",
        "We have changed the size, and the right ones leave today. Keep the others or pass them on.",
        "Plan change sets size to the default. Reported.",
        "Right size sent; plan corrected.",
        ("subscription", "bug"),
    ),
)

CLOSINGS = (
    "The number under the barcode is {serial}.",
    "On the label it says {serial}, if that is of any use.",
    "You can reach me at work until four, afterwards on the mobile.",
    "I wrote about {order} once before and heard nothing.",
    "Please answer in German if you can: mein Englisch reicht für Lieferungen, nicht für Gewährleistung.",
    "My daughter wrote this for me. I do not have a computer.",
    "Photographs follow in a second message, they are too large for this one.",
    "The receipt is in the name of my company, order {order}.",
    "Un grand merci à votre équipe, she was very patient on the telephone.",
    "Ich schicke Ihnen gern ein Foto der Seriennummer {serial}.",
    "日本からの注文です。返品の住所を教えてください。",
    "أرجو إرسال الفاتورة مرة أخرى، رقم الطلب {order}.",
    "Thanks in advance 🙏 and greetings from the coast.",
    "If it takes longer than a week, I would rather have the money.",
    "It is a present, so please nothing about the price on the parcel.",
    "The same happened to my neighbour with {serial}.",
)
"""How customers end; `{serial}` is a number that no other ticket has."""

DELETE_REASONS = (
    "Advertising, not a request",
    "Opened twice by mistake",
    "Test ticket from the telephone line",
    "Sent to us by mistake, belongs to another company",
    "Personal data that we must not keep",
    "Automatic out-of-office reply",
)

TRANSFER_REASONS = (
    "Knows the carrier's people",
    "On leave from tomorrow",
    "Handled the same case last month",
    "Speaks the customer's language",
    "Too much on the other desk this week",
)

ATTACHMENTS = (
    ("tracking.txt", "09:12 left the depot\n10:47 on the vehicle\n12:03 handed over\n"),
    ("error-log.txt", "update 2.1.4 started\n62 % written\nclock is wrong, waiting\n"),
    ("conversation.txt", "10:02 Hello, I have a question about my order.\n10:04 Gladly, which one?\n"),
    ("measurements.csv", "minute,temperature\n1,21.5\n5,64.0\n6,off\n"),
)
